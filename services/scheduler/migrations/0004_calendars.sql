-- The calendars of the index, and which schedules have copies of which: as the rest, made again from the log when emptied.
CREATE TABLE index_calendars (
    calendar_id uuid PRIMARY KEY,
    known bytea NOT NULL
);

ALTER TABLE index_schedules ADD COLUMN calendars text NOT NULL DEFAULT ''; -- ids, a space between them
