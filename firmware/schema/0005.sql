-- 1: the line cannot tell when somebody answers, so `talk` and what is counted from the answer mark are about right.
ALTER TABLE call ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0 CHECK (estimated IN (0, 1));
-- 0: who ended it is what is likely, not what the network said.
ALTER TABLE call ADD COLUMN sure INTEGER NOT NULL DEFAULT 1 CHECK (sure IN (0, 1));
-- Why somebody who came in showed no number: hw.events.Hidden by name; empty where one was shown, or nobody knows.
ALTER TABLE call ADD COLUMN hidden TEXT NOT NULL DEFAULT '';
