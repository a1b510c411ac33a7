-- Collections keep their ids where they go.
ALTER TABLE scan_changes ADD COLUMN path_before text; -- kind: added | changed | missing | moved | restored | withdrawn

CREATE TABLE collection_moves (
    collection_id uuid NOT NULL,
    ordinal bigint NOT NULL, -- ascends with the log, as in scan_changes
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    scan_id uuid NOT NULL,
    undone boolean NOT NULL, -- it came back because somebody undid that scan
    from_path text NOT NULL,
    from_path_bytes bytea,
    to_path text NOT NULL,
    to_path_bytes bytea,
    at timestamptz NOT NULL,
    PRIMARY KEY (collection_id, ordinal)
);
