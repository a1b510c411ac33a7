-- The feed: every event as a row, from every log. A log's rows are keyed and read by position; the order between logs is
-- made by whoever reads. The workspace stands first, because nobody may look across.
CREATE TABLE events (
    workspace text NOT NULL,
    log text NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    at timestamptz NOT NULL, -- ce-time: not ascending, clocks are set
    actor text NOT NULL,
    aggregate text NOT NULL,
    aggregate_id uuid NOT NULL,
    version bigint NOT NULL,
    library_id uuid,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    data text, -- JSON as it was recorded, unless it is larger than the feed carries
    data_bytes bigint NOT NULL,
    PRIMARY KEY (workspace, log, position)
);
CREATE INDEX events_by_id ON events (event_id);
CREATE INDEX events_by_type ON events (workspace, log, type, position);
CREATE INDEX events_by_library ON events (library_id, log, position) WHERE library_id IS NOT NULL;

-- Where in a log the events of an hour are: a span of time becomes a span of positions, however clocks jumped.
CREATE TABLE event_hours (
    hour bigint NOT NULL, -- since 1970, UTC
    log text NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    PRIMARY KEY (hour, log)
);

-- Up to where the feed has forgotten a log: a reader that stands before it would miss events.
CREATE TABLE event_floors (
    log text PRIMARY KEY,
    position bigint NOT NULL
);

CREATE INDEX scans_completed ON scans (library_id, ended_at) WHERE status = 'Completed';
