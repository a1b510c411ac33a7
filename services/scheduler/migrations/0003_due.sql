-- When each schedule is due next, so that a start computes none of them. What was computed with another edition of the
-- time zone rules than this process has counts for nothing and is computed again.

-- What is stored so far is not packed: it is made again from the log.
TRUNCATE index_position, index_schedules, index_open_jobs;

-- The latest instant that was decided by anybody.
ALTER TABLE index_position ADD COLUMN decided timestamptz;

ALTER TABLE index_schedules
    ADD COLUMN due timestamptz,
    ADD COLUMN tzdata text NOT NULL,
    ADD COLUMN library_id uuid; -- of a further schedule of a library, not its own one
