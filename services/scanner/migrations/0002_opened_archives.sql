-- What archives held when they were opened last, with these size, time and wanted extensions: then they need not be
-- opened again. Not in the log; whatever is lost here is read again from disk.
CREATE TABLE opened_archives (
    collection_id uuid PRIMARY KEY,
    size_bytes bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    extensions text NOT NULL,
    image_count integer NOT NULL,
    left_out integer NOT NULL, -- images of other extensions
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX opened_archives_at ON opened_archives (at);
