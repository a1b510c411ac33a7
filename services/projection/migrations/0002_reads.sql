-- Lists that stay fast however long the history is, statistics, and what is forgotten. The rows themselves are built
-- again (SHAPE 2); the defaults only hold until then.

ALTER TABLE libraries
    ADD COLUMN include_subfolders boolean NOT NULL DEFAULT true,
    ADD COLUMN exclude_patterns text NOT NULL DEFAULT '[]', -- JSON
    ADD COLUMN extensions text NOT NULL DEFAULT '[]'; -- JSON
CREATE INDEX libraries_by_creation ON libraries (workspace, created_at, library_id) WHERE deleted_at IS NULL;

ALTER TABLE schedules
    ADD COLUMN scan_mode text NOT NULL DEFAULT 'changed',
    ADD COLUMN edition bigint NOT NULL DEFAULT 1,
    ADD COLUMN created_by text NOT NULL DEFAULT '',
    ADD COLUMN updated_by text NOT NULL DEFAULT '';

-- A scope is whose runs are counted: `workspace`, `workspace/<library id>` or `workspace/<schedule id>`.
DROP TABLE run_totals;
CREATE TABLE run_totals (
    scope text PRIMARY KEY,
    run_count bigint NOT NULL,
    success_count bigint NOT NULL,
    failure_count bigint NOT NULL,
    last_job_id uuid,
    last_run_at timestamptz,
    last_run_status text,
    last_run_duration_ms bigint,
    last_error_message text
);

-- How many runs are kept of each block of ordinals, those from `below` - `size` on and under `below`. Totals and deep
-- pages are sums over blocks: first over the large ones (65536), then over the small ones (1024) in one of them.
CREATE TABLE run_counts (
    scope text NOT NULL,
    size bigint NOT NULL,
    below bigint NOT NULL,
    status text NOT NULL,
    triggered_by text NOT NULL,
    runs bigint NOT NULL,
    PRIMARY KEY (scope, size, below, status, triggered_by)
);

-- Runs by the day they were asked for, verdicts by the day they came; UTC. Kept when the runs are forgotten.
CREATE TABLE run_days (
    scope text NOT NULL,
    day date NOT NULL,
    runs bigint NOT NULL,
    successes bigint NOT NULL,
    failures bigint NOT NULL,
    PRIMARY KEY (scope, day)
);

-- Ordinals count the runs of a scope from 1, in the order of the scheduler's log.
ALTER TABLE jobs
    ADD COLUMN ordinal bigint NOT NULL DEFAULT 0,
    ADD COLUMN schedule_ordinal bigint,
    ADD COLUMN library_ordinal bigint,
    ADD COLUMN scan_mode text,
    ADD COLUMN requested_by text NOT NULL DEFAULT '';
DROP INDEX jobs_by_schedule;
DROP INDEX jobs_by_library;
CREATE INDEX jobs_by_workspace ON jobs (workspace, ordinal);
CREATE INDEX jobs_by_schedule ON jobs (schedule_id, schedule_ordinal);
CREATE INDEX jobs_by_library ON jobs (library_id, library_ordinal);
CREATE INDEX jobs_by_status ON jobs (workspace, status, ordinal);
CREATE INDEX jobs_by_schedule_and_status ON jobs (schedule_id, status, schedule_ordinal);
CREATE INDEX jobs_by_library_and_status ON jobs (library_id, status, library_ordinal);
-- People ask for few runs; the scheduler's are found without these.
CREATE INDEX jobs_asked_for ON jobs (workspace, ordinal) WHERE triggered_by <> 'Scheduler';
CREATE INDEX jobs_asked_for_by_schedule ON jobs (schedule_id, schedule_ordinal) WHERE triggered_by <> 'Scheduler';
CREATE INDEX jobs_asked_for_by_library ON jobs (library_id, library_ordinal) WHERE triggered_by <> 'Scheduler';
CREATE INDEX jobs_by_end ON jobs (ended_at) WHERE ended_at IS NOT NULL;

-- Several scanners' logs may feed these two; each forgets its own.
ALTER TABLE scans ADD COLUMN log text NOT NULL DEFAULT 'scanner';
ALTER TABLE holds ADD COLUMN log text NOT NULL DEFAULT 'scanner';
CREATE INDEX scans_by_end ON scans (log, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX operations_by_time ON operations (log, handled_at);

-- What a library holds, and by how much that changed on each day (UTC).
CREATE TABLE contents (
    library_id uuid NOT NULL,
    workspace text NOT NULL,
    state text NOT NULL,
    kind text NOT NULL,
    collections bigint NOT NULL,
    images bigint NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (library_id, workspace, state, kind)
);
CREATE INDEX contents_by_workspace ON contents (workspace);
CREATE TABLE content_days (
    library_id uuid NOT NULL,
    workspace text NOT NULL,
    day date NOT NULL,
    collections bigint NOT NULL,
    images bigint NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (library_id, workspace, day)
);
CREATE INDEX content_days_by_workspace ON content_days (workspace, day);

-- `folded` is the path without case: what a text filter looks at.
ALTER TABLE collections ADD COLUMN folded text NOT NULL DEFAULT '';
-- A page in the middle passes half of the list: what decides whether a collection is in it stands in the index too.
DROP INDEX collections_by_path;
CREATE INDEX collections_by_path ON collections (library_id, path COLLATE "C", collection_id)
    INCLUDE (workspace, state, kind);
CREATE INDEX collections_by_workspace ON collections (workspace, path COLLATE "C", collection_id)
    INCLUDE (library_id, state, kind);
CREATE INDEX collections_by_name ON collections (workspace, name COLLATE "C", collection_id)
    INCLUDE (library_id, state, kind);
CREATE INDEX collections_by_images ON collections (workspace, image_count, collection_id)
    INCLUDE (library_id, state, kind);
CREATE INDEX collections_by_size ON collections (workspace, size_bytes, collection_id)
    INCLUDE (library_id, state, kind);
CREATE INDEX collections_by_time ON collections (workspace, recorded_at, collection_id)
    INCLUDE (library_id, state, kind);
