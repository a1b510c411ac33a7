-- Which replica fires which part of the schedules first. It spreads the work and decides nothing: whoever fires without
-- a lease, or two at once, meets the expected version of the schedule. Can be emptied any time.

CREATE TABLE replicas (
    replica uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
);

CREATE TABLE partitions (
    partition smallint PRIMARY KEY,
    replica uuid,
    until timestamptz NOT NULL
);

INSERT INTO partitions (partition, replica, until) SELECT number, NULL, '-infinity' FROM generate_series(0, 63) AS number;
