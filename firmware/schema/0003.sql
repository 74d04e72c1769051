-- The numbers that this booth is about to call, or wants to let go; booth and sync wake each other about them.
CREATE TABLE claim (
    number TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'granted', 'held', 'unwanted')),
    boot TEXT NOT NULL,
    asked REAL NOT NULL,                 -- on the monotonic clock of that boot, in seconds
    until REAL NOT NULL DEFAULT 0,       -- likewise: when the server's answer ends
    holder TEXT NOT NULL DEFAULT ''      -- held: the other booth's name
) STRICT, WITHOUT ROWID;
