-- The scheduler's private read model of its own log, so that a start need not read all of it. Can be emptied any time.

-- One row once something was stored: everything up to `position` of the log's `epoch` is in the other two tables.
-- Rows of another `shape` mean something else to this version and are made again from the log.
CREATE TABLE index_position (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    position bigint NOT NULL,
    epoch uuid NOT NULL,
    shape text NOT NULL
);

CREATE TABLE index_schedules (
    schedule_id uuid PRIMARY KEY,
    known bytea NOT NULL
);

CREATE TABLE index_open_jobs (
    job_id uuid PRIMARY KEY,
    known bytea NOT NULL
);
