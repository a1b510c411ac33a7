-- Hints that wait for their scan. What is stored so far knows nothing of them: it is made again from the log.
TRUNCATE index_position, index_schedules, index_open_jobs;

CREATE TABLE index_hints (
    library_id uuid PRIMARY KEY,
    known bytea NOT NULL
);
