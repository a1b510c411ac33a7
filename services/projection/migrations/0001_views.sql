-- Read models. Every table belongs to one log (operations: one row per log and command), so that no stored value can
-- depend on the order between logs; whoever needs data of two logs joins at query time. No column holds a JetStream
-- sequence or a wall-clock time of the projection: a replay must give the same rows.

CREATE TABLE positions (
    log text PRIMARY KEY,
    epoch uuid NOT NULL,
    position bigint NOT NULL
);

-- Which meaning of the folds made these rows: another one than the program's, and they are built again.
CREATE TABLE shape (version integer NOT NULL);

-- From each log: receipts.
CREATE TABLE operations (
    log text NOT NULL,
    command_id uuid NOT NULL,
    workspace text NOT NULL,
    command text NOT NULL,
    outcome text NOT NULL,
    answer text NOT NULL, -- JSON, as it was answered
    actor text NOT NULL,
    position bigint NOT NULL,
    handled_at timestamptz NOT NULL,
    PRIMARY KEY (log, command_id)
);
CREATE INDEX operations_by_command ON operations (command_id);

-- From the library log.
CREATE TABLE libraries (
    library_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    name text NOT NULL,
    path text NOT NULL,
    description text NOT NULL,
    auto_scan boolean NOT NULL,
    cron_expression text NOT NULL,
    time_zone text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX libraries_by_name ON libraries (workspace, name COLLATE "C", library_id) WHERE deleted_at IS NULL;

-- From the scheduler log.
CREATE TABLE schedules (
    schedule_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    job_type text NOT NULL,
    library_id uuid,
    expression text NOT NULL,
    zone text NOT NULL,
    enabled boolean NOT NULL,
    cursor timestamptz NOT NULL,
    priority bigint NOT NULL,
    timeout_s bigint NOT NULL,
    max_retries bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX schedules_by_name ON schedules (workspace, name COLLATE "C", schedule_id);
CREATE INDEX schedules_by_library ON schedules (library_id);

CREATE TABLE run_totals (
    schedule_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    run_count bigint NOT NULL,
    success_count bigint NOT NULL,
    failure_count bigint NOT NULL,
    last_job_id uuid,
    last_run_at timestamptz,
    last_run_status text,
    last_run_duration_ms bigint,
    last_error_message text
);

CREATE TABLE jobs (
    job_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    job_type text NOT NULL,
    queue text NOT NULL,
    schedule_id uuid,
    library_id uuid,
    library_name text,
    library_path text,
    instant timestamptz,
    triggered_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    priority bigint NOT NULL,
    timeout_s bigint NOT NULL,
    max_retries bigint NOT NULL,
    status text NOT NULL,
    attempt bigint NOT NULL,
    worker text,
    started_at timestamptz, -- of the first attempt
    attempt_started_at timestamptz,
    deadline timestamptz,
    due timestamptz,
    ended_at timestamptz,
    code text,
    message text,
    result text -- JSON
);
CREATE INDEX jobs_by_schedule ON jobs (schedule_id, requested_at, job_id);
CREATE INDEX jobs_by_library ON jobs (library_id, requested_at, job_id);

-- From the scanner log.
CREATE TABLE scans (
    scan_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    attempt bigint NOT NULL,
    status text NOT NULL,
    root text,
    worker text,
    started_at timestamptz,
    ended_at timestamptz,
    duration_ms bigint,
    held bigint NOT NULL,
    counts text, -- JSON
    report text, -- JSON
    code text,
    message text,
    final boolean
);

CREATE TABLE holds (
    scan_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    attempt bigint NOT NULL,
    count bigint NOT NULL,
    reason text NOT NULL,
    held_at timestamptz NOT NULL,
    state text NOT NULL, -- held | settled
    settled_by uuid,
    settled_at timestamptz
);
CREATE INDEX holds_by_library ON holds (library_id) WHERE state = 'held';

CREATE TABLE collections (
    collection_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    path text NOT NULL,
    path_bytes bytea,
    name text NOT NULL,
    kind text NOT NULL,
    image_count bigint NOT NULL,
    size_bytes bigint NOT NULL,
    digest text NOT NULL,
    state text NOT NULL, -- present | missing
    scan_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX collections_by_path ON collections (library_id, path COLLATE "C", collection_id);

CREATE TABLE files (
    collection_id uuid NOT NULL,
    name_key bytea NOT NULL, -- the name's own bytes
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    name text NOT NULL,
    size_bytes bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    PRIMARY KEY (collection_id, name_key)
);
