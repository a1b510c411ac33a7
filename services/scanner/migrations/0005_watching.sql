-- Every library that was heard of, as of `version` of its own, and which replica watches it. Whoever holds no lease any
-- more is relieved by another; two at once would only say everything twice.
CREATE TABLE watched_libraries (
    library_id uuid PRIMARY KEY,
    workspace text NOT NULL,
    version bigint NOT NULL,
    watch boolean NOT NULL,
    settings bytea NOT NULL,
    replica uuid,
    until timestamptz
);
