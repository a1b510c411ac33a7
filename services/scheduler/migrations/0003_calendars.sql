-- The calendars of the index: as the other tables, made again from the log when emptied.
CREATE TABLE index_calendars (
    calendar_id uuid PRIMARY KEY,
    known bytea NOT NULL
);
