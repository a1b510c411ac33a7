-- What is known of the images themselves. Made from the log; can be emptied at any time.

-- The version of the enrichment's events that the rows of a library reflect. `root` is where it was read last.
CREATE TABLE enrichments (
    library_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    root bytea
);

-- The entries of the catalogue whose images were read: these digests (of archives also these times) need nothing more.
CREATE TABLE enriched (
    collection_id uuid PRIMARY KEY,
    library_id uuid NOT NULL,
    digest text NOT NULL,
    mtime_ns bigint NOT NULL,
    cover bytea -- JSON, as the event has it
);
CREATE INDEX enriched_library ON enriched (library_id);

-- The images that were read, as the pages had them: later versions add to earlier ones and replace by name.
CREATE TABLE looked_at (
    collection_id uuid NOT NULL,
    version bigint NOT NULL,
    library_id uuid NOT NULL,
    images bytea NOT NULL,
    PRIMARY KEY (collection_id, version)
);
CREATE INDEX looked_at_library ON looked_at (library_id);

-- Entries that could not be read, through no fault of theirs: a folder that is gone, a disk that hangs. They are tried
-- again when something else of their library is read. Not in the log.
CREATE TABLE passed_over (
    collection_id uuid PRIMARY KEY,
    digest text NOT NULL,
    mtime_ns bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
