-- Jobs of applications. `ordinal` ascends with the scheduler's log. The row of a job that was done again names both ways.
CREATE TABLE app_jobs (
    job_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    ordinal bigint NOT NULL,
    job_type text NOT NULL,
    name text NOT NULL,
    queue text NOT NULL,
    status text NOT NULL,
    requested_at timestamptz NOT NULL,
    requested_by text NOT NULL,
    triggered_by text NOT NULL,
    payload text NOT NULL, -- JSON
    payload_version bigint NOT NULL,
    priority bigint NOT NULL,
    timeout_s bigint NOT NULL,
    max_retries bigint NOT NULL,
    exhausted text NOT NULL,
    attempt bigint NOT NULL,
    retries bigint NOT NULL,
    waits_for text, -- JSON
    unique_key text,
    retry_of uuid,
    retried_as uuid,
    worker text,
    due timestamptz,
    started_at timestamptz, -- of the first attempt
    attempt_started_at timestamptz,
    deadline timestamptz,
    ended_at timestamptz,
    code text,
    message text,
    result text, -- JSON
    filed text -- dead | hidden
);
CREATE INDEX app_jobs_in_order ON app_jobs (workspace, ordinal);
CREATE INDEX app_jobs_by_status ON app_jobs (workspace, status, ordinal);
CREATE INDEX app_jobs_by_type ON app_jobs (workspace, job_type, status, ordinal);
CREATE INDEX app_jobs_by_queue ON app_jobs (workspace, queue, status, ordinal);
CREATE INDEX app_jobs_by_end ON app_jobs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE app_job_counts (
    workspace text NOT NULL,
    job_type text NOT NULL,
    queue text NOT NULL,
    status text NOT NULL,
    jobs bigint NOT NULL,
    PRIMARY KEY (workspace, job_type, queue, status)
);
