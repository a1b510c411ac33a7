-- What the catalogues say, in the form that a scan compares with. Made from the log; can be emptied at any time.

-- The catalogue version that the rows of a library reflect.
CREATE TABLE index_libraries (
    library_id uuid PRIMARY KEY,
    version bigint NOT NULL
);

CREATE TABLE index_collections (
    collection_id uuid PRIMARY KEY,
    library_id uuid NOT NULL,
    kind text NOT NULL,
    path bytea NOT NULL,
    digest text NOT NULL,
    image_count integer NOT NULL,
    size_bytes bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX index_collections_library ON index_collections (library_id);

-- The images of a collection, as the pages had them: later versions add to earlier ones and replace by name. A row per
-- page's share costs a fiftieth of a row per image to write, and is read only when the collection has changed.
CREATE TABLE index_images (
    collection_id uuid NOT NULL REFERENCES index_collections ON DELETE CASCADE,
    version bigint NOT NULL,
    files bytea NOT NULL,
    PRIMARY KEY (collection_id, version)
);

-- Which attempts of which scans began here, and which jobs were closed elsewhere. Either may be first: whoever comes
-- second sees the other's row.
CREATE TABLE begun_scans (
    scan_id uuid PRIMARY KEY,
    library_id uuid NOT NULL,
    attempt integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE closed_jobs (
    job_id uuid PRIMARY KEY,
    attempt integer NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX closed_jobs_at ON closed_jobs (at);
