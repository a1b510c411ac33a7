-- The ledger: what became of every instant at which a schedule was due, and under which of its versions.

ALTER TABLE schedules
    ADD COLUMN rules_version bigint NOT NULL DEFAULT 1, -- what its ticks name
    ADD COLUMN tick_count bigint NOT NULL DEFAULT 0; -- how many rows of `ticks` it ever had

-- Ordinals count a schedule's rows from 1 in the order of the log, which is that of the instants: a schedule decides no
-- instant after a later one. What is forgotten are the first, so there are no holes, a total is a difference, and any
-- page of any span of time is found at once.
CREATE TABLE ticks (
    schedule_id uuid NOT NULL,
    ordinal bigint NOT NULL,
    workspace text NOT NULL,
    first timestamptz NOT NULL,
    last timestamptz NOT NULL, -- of one instant the same
    instants bigint NOT NULL,
    verdict text NOT NULL, -- fired | late | caught_up | skipped
    reason text, -- of what was skipped
    moved boolean NOT NULL,
    missed_count bigint NOT NULL,
    job_id uuid, -- of what fired: its run
    busy_id uuid, -- of what was skipped for it: the run that was still open
    version bigint NOT NULL,
    tzdata text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (schedule_id, ordinal)
);
CREATE INDEX ticks_by_instant ON ticks (schedule_id, last);
-- Only forgetting looks across schedules: rows come in the order of time, so a few kB say where the old ones are.
CREATE INDEX ticks_by_age ON ticks USING brin (last);

CREATE TABLE schedule_versions (
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    workspace text NOT NULL,
    edition bigint NOT NULL,
    name text NOT NULL,
    timing text NOT NULL, -- JSON, as the event has it
    rules text NOT NULL, -- JSON, as the event has them
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    cursor timestamptz NOT NULL, -- instants up to it are another version's, or nobody's
    deleted_at timestamptz, -- of the version that was in force then
    deleted_by text,
    PRIMARY KEY (schedule_id, version)
);
