-- Everywhere: `at` is UTC seconds since 1970, NULL when the booth did not know the time. Then `boot` and `monotonic`
-- say when it was, and the row is dated by boot.ahead as soon as that boot's time is known.

CREATE TABLE boot (
    id TEXT PRIMARY KEY,
    ahead REAL NOT NULL,                 -- UTC seconds minus monotonic seconds
    source TEXT NOT NULL                 -- keyed, network, system, synchronised
) STRICT, WITHOUT ROWID;

CREATE TABLE note (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE list (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    sample INTEGER NOT NULL CHECK (sample IN (0, 1)),
    total INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))
) STRICT;

CREATE TABLE customer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    list INTEGER NOT NULL REFERENCES list (id),
    position INTEGER NOT NULL,           -- 0-based, never changes
    row INTEGER NOT NULL,                -- as in the file
    name TEXT NOT NULL,
    reading TEXT NOT NULL,
    identifier TEXT NOT NULL,
    note TEXT NOT NULL,
    badge TEXT NOT NULL DEFAULT 'new',   -- what the last result made of the customer
    value REAL,
    final INTEGER NOT NULL DEFAULT 0 CHECK (final IN (0, 1)),
    due REAL,                            -- not to be called before
    UNIQUE (list, position)
) STRICT;
CREATE INDEX customer_name ON customer (list, name);
CREATE INDEX customer_final ON customer (list) WHERE final = 1;

CREATE TABLE number (
    customer INTEGER NOT NULL REFERENCES customer (id),
    rank INTEGER NOT NULL,               -- 0: the first number
    dialled TEXT NOT NULL,               -- without 184 or 186
    key TEXT NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail)),
    PRIMARY KEY (customer, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX number_dialled ON number (dialled);
CREATE INDEX number_key ON number (key);

CREATE TABLE call (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    customer INTEGER REFERENCES customer (id),
    number TEXT NOT NULL,                -- the key
    detail TEXT NOT NULL CHECK (json_valid(detail)),
    agent TEXT NOT NULL,
    reason TEXT NOT NULL,
    emergency INTEGER NOT NULL CHECK (emergency IN (0, 1)),
    incoming INTEGER NOT NULL CHECK (incoming IN (0, 1)),
    decision TEXT CHECK (decision IS NULL OR json_valid(decision)),
    at REAL,
    boot TEXT NOT NULL,
    monotonic REAL NOT NULL,
    answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1)),
    cause TEXT,                          -- NULL while it lasts
    party TEXT,                          -- who ended it
    talk REAL NOT NULL DEFAULT 0,
    recording TEXT CHECK (recording IS NULL OR json_valid(recording)),
    version INTEGER NOT NULL DEFAULT 0,  -- how many results have been keyed
    CHECK (customer IS NOT NULL OR reason <> '' OR emergency = 1 OR incoming = 1),
    CHECK ((cause IS NULL) = (party IS NULL))
) STRICT;
CREATE INDEX call_number ON call (number, seq);
CREATE INDEX call_lasting ON call (seq) WHERE cause IS NULL;
CREATE INDEX call_owed ON call (seq) WHERE version = 0 AND emergency = 0 AND (incoming = 0 OR answered = 1);

CREATE TABLE mark (
    call TEXT NOT NULL REFERENCES call (id),
    name TEXT NOT NULL,                  -- answered, ended, promise …
    seconds REAL,                        -- from the answer mark
    at REAL,
    boot TEXT NOT NULL,
    monotonic REAL NOT NULL
) STRICT;
CREATE INDEX mark_call ON mark (call);

CREATE TABLE result (
    call TEXT NOT NULL REFERENCES call (id),
    version INTEGER NOT NULL,            -- the highest one counts; the others stay
    code TEXT NOT NULL,
    due REAL,
    whom TEXT NOT NULL,
    clear TEXT NOT NULL,
    note TEXT NOT NULL,
    at REAL,
    boot TEXT NOT NULL,
    monotonic REAL NOT NULL,
    PRIMARY KEY (call, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE fact (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    number TEXT NOT NULL,
    at REAL,
    boot TEXT,                           -- NULL: from elsewhere
    monotonic REAL,
    booth TEXT NOT NULL,
    agent TEXT NOT NULL,
    call TEXT,
    result TEXT,
    due REAL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX fact_number ON fact (number, seq);
CREATE INDEX fact_doubtful ON fact (number) WHERE kind IN ('refusal', 'do-not-call', 'counted', 'final');

CREATE TRIGGER fact_never_changes BEFORE UPDATE ON fact
BEGIN
    SELECT RAISE(ABORT, 'facts are only ever added');
END;
CREATE TRIGGER fact_never_goes BEFORE DELETE ON fact
BEGIN
    SELECT RAISE(ABORT, 'facts are only ever added');
END;
-- A fact heard twice is one fact; REPLACE must not slip past the two triggers above.
CREATE TRIGGER fact_once BEFORE INSERT ON fact
WHEN EXISTS (SELECT 1 FROM fact WHERE id = NEW.id OR seq = NEW.seq)
BEGIN
    SELECT RAISE(IGNORE);
END;

CREATE TABLE shift (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('log-in', 'log-out', 'break-begins', 'break-ends')),
    agent TEXT NOT NULL,
    code TEXT NOT NULL,                  -- of the break
    at REAL,
    boot TEXT NOT NULL,
    monotonic REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('call', 'fact', 'shift')),
    ref TEXT NOT NULL,
    version INTEGER NOT NULL,
    at REAL,
    boot TEXT NOT NULL,
    monotonic REAL NOT NULL,
    UNIQUE (kind, ref, version)
) STRICT;
CREATE INDEX outbox_call ON outbox (id) WHERE kind = 'call';
