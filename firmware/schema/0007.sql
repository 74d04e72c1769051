-- What the server has refused for its contents. Nothing is deleted: once it is held, it waits and the rest goes on.
CREATE TABLE kept_back (
    kind TEXT NOT NULL CHECK (kind IN ('call', 'fact', 'shift', 'recording')),
    ref TEXT NOT NULL,
    version INTEGER NOT NULL,            -- that was refused; a higher one is offered as if nothing had been
    strikes INTEGER NOT NULL,            -- how often in a row
    reason TEXT NOT NULL,                -- the server's sentence
    held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    boot TEXT NOT NULL,                  -- while it is not held: offered again from `due` on,
    due REAL NOT NULL,                   -- on the monotonic clock of that boot, or at once after another start
    since REAL,                          -- UTC seconds of the first refusal, NULL when the booth did not know the time
    programs TEXT NOT NULL DEFAULT '',   -- the versions of booth and server that could not agree
    PRIMARY KEY (kind, ref)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_kind ON outbox (kind, id);
