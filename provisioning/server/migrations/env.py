"""Alembic's entry: takes the steps on the connection it was given, all in one transaction."""

from alembic import context


def run() -> None:
    """Take all steps that are due."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


if hasattr(context, "config"):  # only while alembic runs; to import this file by itself does nothing
    run()
