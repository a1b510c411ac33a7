-- Hashes of whole files: which of them are the same, and which hold other bytes than before.
CREATE TABLE file_hashes (
    collection_id uuid NOT NULL,
    name_key bytea NOT NULL, -- the name's own bytes; of an archive as a whole, none
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    name text NOT NULL,
    size_bytes bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    hash bytea NOT NULL, -- SHA-256
    hashed_at timestamptz NOT NULL,
    state text NOT NULL, -- holds | gone (missing, or changed since)
    found bytea, -- the hash that a rotten file has
    rotten_since timestamptz,
    PRIMARY KEY (collection_id, name_key)
);
CREATE INDEX file_hashes_same ON file_hashes (workspace, hash) WHERE state = 'holds' AND size_bytes > 0;
CREATE INDEX file_hashes_rotten ON file_hashes (library_id) WHERE state = 'holds' AND found IS NOT NULL;
