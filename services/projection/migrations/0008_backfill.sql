-- Instants that were made up for on request, and all that a version of a schedule is. Rows are built again from the log.
CREATE TABLE backfills (
    schedule_id uuid NOT NULL,
    instant timestamptz NOT NULL,
    workspace text NOT NULL,
    job_id uuid NOT NULL,
    version bigint NOT NULL, -- whose expression comes to the instant
    backfilled_at timestamptz NOT NULL,
    backfilled_by text NOT NULL,
    PRIMARY KEY (schedule_id, instant)
);
CREATE INDEX backfills_by_age ON backfills (backfilled_at);

ALTER TABLE schedule_versions
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN scan_mode text NOT NULL DEFAULT 'changed',
    ADD COLUMN priority bigint NOT NULL DEFAULT 5,
    ADD COLUMN timeout_s bigint NOT NULL DEFAULT 3600,
    ADD COLUMN max_retries bigint NOT NULL DEFAULT 3,
    ADD COLUMN restored bigint; -- the version that it brought back

-- Most instants fire at their time: a filter for anything else need not read them.
CREATE INDEX ticks_by_verdict ON ticks (schedule_id, verdict, ordinal) WHERE verdict <> 'fired';
