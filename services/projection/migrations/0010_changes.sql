-- What each scan changed, as a list; what a dry run would have.

CREATE TABLE scan_changes (
    collection_id uuid NOT NULL,
    scan_id uuid NOT NULL,
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    ordinal bigint NOT NULL, -- ascends with the log: version of the catalogue (of the scan, if previewed) * 65536 + place
    attempt bigint NOT NULL,
    previewed boolean NOT NULL,
    kind text NOT NULL, -- added | changed | missing | restored
    collection_kind text NOT NULL,
    path text NOT NULL,
    path_bytes bytea,
    images_before bigint NOT NULL,
    images bigint NOT NULL,
    bytes_before bigint NOT NULL,
    bytes bigint NOT NULL,
    at timestamptz NOT NULL,
    log text NOT NULL,
    PRIMARY KEY (collection_id, scan_id)
);
CREATE INDEX scan_changes_by_scan ON scan_changes (scan_id, ordinal);
CREATE INDEX scan_changes_by_library ON scan_changes (library_id, ordinal) WHERE NOT previewed;
CREATE INDEX scan_changes_by_age ON scan_changes USING brin (at);

ALTER TABLE scans ADD COLUMN began_at_version bigint; -- of the catalogue: what a scan changed comes after it

ALTER TABLE jobs
    ADD COLUMN scope text, -- JSON: the paths that were asked for; all of the library: null
    ADD COLUMN dry_run boolean NOT NULL DEFAULT false;
