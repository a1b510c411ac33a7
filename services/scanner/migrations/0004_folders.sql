-- What each folder held when it was looked at last, so that an unchanged one costs one comparison. Made from what scans
-- see; can be emptied at any time: then the next scan looks at everything in full.
CREATE TABLE index_folders (
    folder_id uuid PRIMARY KEY, -- that of the collection which the folder is, or would be
    library_id uuid NOT NULL,
    path bytea NOT NULL,
    folder bytea NOT NULL -- a FolderRow, in msgpack: thousands are read at once
);
CREATE INDEX index_folders_library ON index_folders (library_id);
ALTER TABLE index_folders ALTER COLUMN folder SET STORAGE MAIN;

-- The settings that a library's folders were looked at under: under others they are looked at again.
ALTER TABLE index_libraries ADD COLUMN look text NOT NULL DEFAULT '';
