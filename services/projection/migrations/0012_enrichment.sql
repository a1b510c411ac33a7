-- What was read of the images themselves.

CREATE TABLE covers (
    collection_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    digest text NOT NULL, -- the collection's, then
    name text,
    hash text, -- SHA-256 of the cover's bytes: its thumbnails are called so
    width bigint,
    height bigint,
    no_cover text NOT NULL, -- why there is none
    valid bigint NOT NULL,
    flawed bigint NOT NULL,
    read_at timestamptz NOT NULL
);

CREATE TABLE quarantine (
    collection_id uuid NOT NULL,
    name_key bytea NOT NULL, -- the name's own bytes; of an archive as a whole, none
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    name text NOT NULL,
    size_bytes bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    since timestamptz NOT NULL,
    state text NOT NULL, -- held | released
    PRIMARY KEY (collection_id, name_key)
);
CREATE INDEX quarantine_by_library ON quarantine (library_id, since DESC, collection_id, name_key) WHERE state = 'held';

CREATE TABLE read_counts (
    library_id uuid NOT NULL,
    workspace text NOT NULL,
    collections bigint NOT NULL,
    covers bigint NOT NULL,
    quarantined bigint NOT NULL,
    PRIMARY KEY (library_id, workspace)
);
