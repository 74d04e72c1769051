"""Log in, log out, change the password, choose the language."""

import logging
import math
from dataclasses import replace
from http import HTTPStatus

from sqlalchemy import Update, select, update
from starlette.responses import Response

from firmware.text.catalogue import mark
from provisioning.server.pages import language, passwords, sessions
from provisioning.server.pages.visit import Refused, Visit, go, keep, new_visitor
from provisioning.server.schema import administrator

log = logging.getLogger(__name__)


def log_in_page(visit: Visit) -> Response:
    """The empty form."""
    if visit.session:
        return go(_next(visit.request.query_params.get("next", "")))
    return _form(visit, _next(visit.request.query_params.get("next", "")))


def log_in(visit: Visit) -> Response:
    """A name and a password were sent."""
    name, target = visit.field("name", 100), _next(visit.field("next"))
    wait = _wait(visit, name)
    if wait:
        said = visit.text("Too many tries. Please wait {seconds} s and try again.", seconds=math.ceil(wait))
        answer = _form(visit, target, name, said, HTTPStatus.TOO_MANY_REQUESTS)
        answer.headers["retry-after"] = str(math.ceil(wait))
        return answer
    with visit.office.database.read() as connection:
        found = connection.execute(select(administrator).where(administrator.c.name == name)).one_or_none()
    if not passwords.matches(_secret(visit, "password"), found.password if found else None) or found is None:
        log.warning("log-in refused, from %s", _address(visit))
        said = visit.text("Name or password is wrong.")
        return _form(visit, target, name, said, HTTPStatus.FORBIDDEN)
    _welcome(visit, name)
    with visit.office.database.write() as connection:
        token = sessions.begin(connection, found.id, visit.now)
    log.info("account %s logged in, from %s", found.id, _address(visit))
    answer = go(target)
    keep(answer, visit.request, sessions.COOKIE, token, sessions.LASTS)
    answer.delete_cookie(sessions.VISITOR)
    return answer


def log_out(visit: Visit) -> Response:
    """Forget this browser."""
    assert visit.session is not None
    with visit.office.database.write() as connection:
        sessions.end(connection, visit.session.id)
    answer = go("/log-in", "logged-out")
    answer.delete_cookie(sessions.COOKIE)
    return answer


def account_page(visit: Visit) -> Response:
    """Language and password."""
    return visit.page("account.html", fault="", shortest=passwords.SHORTEST)


def choose_language(visit: Visit) -> Response:
    """The account's language; it takes the place of what this browser had chosen."""
    chosen = language.known(visit.field("language"))
    if chosen is None:
        raise Refused(mark("There is no such language here."), back="/account")
    with visit.office.database.write() as connection:
        connection.execute(_mine(visit).values(language=chosen))
    answer = go("/account", "language")
    answer.delete_cookie(language.COOKIE)
    return answer


def change_password(visit: Visit) -> Response:
    """A new password; every other log-in of this account ends."""
    fault = _password_fault(visit)
    if fault:
        said = visit.text(fault, count=passwords.SHORTEST)
        return visit.page("account.html", HTTPStatus.BAD_REQUEST, fault=said, shortest=passwords.SHORTEST)
    kept = passwords.hashed(_secret(visit, "new"))
    assert visit.session is not None
    with visit.office.database.write() as connection:
        connection.execute(_mine(visit).values(password=kept))
        sessions.end_others(connection, visit.session)
    log.info("account %s changed its password", visit.account.id)
    return go("/account", "password")


def _password_fault(visit: Visit) -> str:
    """What stands against the change, "" if nothing does."""
    if _wait(visit, visit.account.name):
        return mark("Too many tries. Please wait a while and try again.")
    with visit.office.database.read() as connection:
        kept = connection.scalar(select(administrator.c.password).where(administrator.c.id == visit.account.id))
    if not passwords.matches(_secret(visit, "old"), kept):
        return mark("The present password is wrong.")
    _welcome(visit, visit.account.name)
    if len(_secret(visit, "new")) < passwords.SHORTEST:
        return mark("The new password needs at least {count} characters.")
    return "" if _secret(visit, "new") == _secret(visit, "again") else mark("The two new passwords differ.")


def _mine(visit: Visit) -> Update:
    return update(administrator).where(administrator.c.id == visit.account.id)


def _form(visit: Visit, target: str, name: str = "", fault: str = "", status: int = HTTPStatus.OK) -> Response:
    """The form, its token bound to a cookie that it gives the browser."""
    visitor = visit.request.cookies.get(sessions.VISITOR) or new_visitor()
    csrf = sessions.visitor_csrf(visit.office.secret, visitor)
    answer = replace(visit, csrf=csrf).page("login.html", status, next=target, name=name, fault=fault)
    keep(answer, visit.request, sessions.VISITOR, visitor, None)
    return answer


def _wait(visit: Visit, name: str) -> float:
    """Seconds until this account, from this address, may try again."""
    office = visit.office
    return office.addresses.wait(_address(visit), now=visit.now) or office.accounts.wait(name, now=visit.now)


def _welcome(visit: Visit, name: str) -> None:
    visit.office.accounts.succeeded(name)
    visit.office.addresses.forgive(_address(visit))


def _address(visit: Visit) -> str:
    return visit.request.client.host if visit.request.client else "?"


def _secret(visit: Visit, name: str) -> str:
    """A password as it was typed, blanks at its ends included."""
    value = visit.form.get(name, "")
    return value if isinstance(value, str) else ""


def _next(asked: str) -> str:
    """Where to go after the log-in: a page of ours, and nowhere else.

    >>> _next("/calls?q=1"), _next("//elsewhere.example"), _next("https://elsewhere.example"), _next("/log-in")
    ('/calls?q=1', '/', '/', '/')
    """
    ours = asked.startswith("/") and not asked.startswith(("//", "/log-")) and "\\" not in asked and asked.isprintable()
    return asked if ours else "/"
