-- UTC minus monotonic seconds at most, of all that was believed in that boot: dates nothing too early. NULL: only sync knew.
ALTER TABLE boot ADD COLUMN latest REAL;
