-- The holds that forbid to delete recordings, found without looking through all facts.
CREATE INDEX fact_hold ON fact (seq) WHERE kind IN ('legal-hold', 'legal-release');

-- Recordings that the server has, with the same digest. here: the copy on the card is kept for a while. going: it is to be
-- deleted, and may be gone already. gone: it is deleted.
CREATE TABLE delivered (
    recording TEXT PRIMARY KEY,          -- as the journal is named
    state TEXT NOT NULL CHECK (state IN ('here', 'going', 'gone')),
    bytes INTEGER NOT NULL,
    why TEXT NOT NULL DEFAULT '',        -- age or space
    at REAL,                             -- when the booth saw that the server has it
    boot TEXT NOT NULL,
    monotonic REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX delivered_here ON delivered (state) WHERE state <> 'gone';
CREATE INDEX mark_memo ON mark (name) WHERE name > 'memo ' AND name < 'memo!';

-- What room there was on the card, once in a few hours: from it follows when the card will be full.
CREATE TABLE room (
    slot INTEGER PRIMARY KEY,            -- of the time, as firmware.forecast counts it
    at REAL NOT NULL,
    bytes INTEGER NOT NULL               -- free, or to be had by deleting what the server has
) STRICT;
