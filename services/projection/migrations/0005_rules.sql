-- Which instants of a schedule fire, and since when, by whom and why it is paused. Rows are built again from the log.
ALTER TABLE schedules
    ADD COLUMN days text NOT NULL DEFAULT 'and',
    ADD COLUMN clock_changes text NOT NULL DEFAULT 'cronos',
    ADD COLUMN rules text NOT NULL DEFAULT '{}', -- JSON, as in the events
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_by text,
    ADD COLUMN pause_reason text,
    ADD COLUMN resume_at timestamptz;
