ALTER TABLE list ADD COLUMN uuid TEXT NOT NULL DEFAULT '';  -- what the server calls it; empty: it came from a file

-- A recording on its way to the server; a journal that has no row here has not been offered yet.
CREATE TABLE upload (
    recording TEXT PRIMARY KEY,          -- as the journal is named
    state TEXT NOT NULL CHECK (state IN ('open', 'synced', 'refused')),
    sent INTEGER NOT NULL,               -- bytes that the server has said are on its disk
    digest TEXT NOT NULL DEFAULT '',     -- SHA-256 that both ends found, in hex
    problem TEXT NOT NULL DEFAULT ''     -- why the server will not have it
) STRICT, WITHOUT ROWID;

-- The call lists that the server has given this booth.
CREATE TABLE assigned (
    uuid TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    sample INTEGER NOT NULL CHECK (sample IN (0, 1)),
    wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),    -- 0: to be put away
    list INTEGER REFERENCES list (id),   -- NULL until the booth has taken it in
    revision INTEGER NOT NULL DEFAULT 0, -- of `list`
    left_out INTEGER NOT NULL DEFAULT 0  -- rows that this booth could not call
) STRICT, WITHOUT ROWID;

-- A revision of such a list that has arrived and that the booth takes in while nobody needs it.
CREATE TABLE arrival (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL REFERENCES assigned (uuid),
    revision INTEGER NOT NULL,
    complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
    list INTEGER REFERENCES list (id),   -- what has been taken in so far, out of sight
    left_out INTEGER NOT NULL DEFAULT 0,
    UNIQUE (uuid, revision)
) STRICT;

CREATE TABLE arrived_row (
    arrival INTEGER NOT NULL REFERENCES arrival (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    row TEXT NOT NULL CHECK (json_valid(row)),           -- firmware.wire.Row
    PRIMARY KEY (arrival, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX fact_ours ON fact (seq) WHERE boot IS NOT NULL;
