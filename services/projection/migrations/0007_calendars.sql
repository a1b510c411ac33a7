-- Named days on which schedules do not fire, and which schedules and ticks they concern. Built again from the log.
CREATE TABLE calendars (
    calendar_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    days text NOT NULL, -- JSON, ascending
    day_count bigint NOT NULL,
    first_day text, -- of them
    last_day text,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX calendars_by_name ON calendars (workspace, name COLLATE "C") WHERE deleted_at IS NULL;

ALTER TABLE schedules
    ADD COLUMN calendars text NOT NULL DEFAULT ''; -- the names of those it has copies of, a space between them
CREATE INDEX schedules_with_calendars ON schedules (workspace) WHERE calendars <> '' AND deleted_at IS NULL;

ALTER TABLE ticks
    ADD COLUMN calendar text; -- of what was skipped: the one that excludes it
