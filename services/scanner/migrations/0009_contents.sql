-- Hashes of whole files. Made from the log; can be emptied at any time.

-- The version of the contents' events that the rows of a library reflect.
CREATE TABLE contents (
    library_id uuid PRIMARY KEY,
    version bigint NOT NULL
);

CREATE TABLE hashes (
    collection_id uuid NOT NULL,
    name bytea NOT NULL, -- of an archive as a whole: none
    library_id uuid NOT NULL,
    size_bytes bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    hash bytea NOT NULL,
    hashed_at timestamptz NOT NULL,
    rotten bytea, -- the hash that was found instead
    checked_by uuid, -- the scan that looked at it last; not in the log
    PRIMARY KEY (collection_id, name)
);
CREATE INDEX hashes_rotten ON hashes (library_id) WHERE rotten IS NOT NULL;
