-- Images of a collection in chunks of at most a thousand, each a range of names: a row per image took half of a first
-- scan's time. A chunk's range begins at `first_name` and ends where the next one's begins.
DROP TABLE files;
CREATE TABLE files (
    collection_id uuid NOT NULL,
    chunk bigint NOT NULL, -- counts from 0 in the order in which chunks came to be
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    first_name bytea NOT NULL,
    file_count bigint NOT NULL,
    files bytea NOT NULL, -- JSON: [name, bytes, mtime in ns, name's bytes if it is not UTF-8], ascending by name
    PRIMARY KEY (collection_id, chunk)
);
-- Compressing costs the writer more than it saves.
ALTER TABLE files ALTER COLUMN files SET STORAGE EXTERNAL;
