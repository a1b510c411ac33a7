-- How far the scan that wrote last had come: an attempt that dies is followed by one that goes on there. Can be emptied
-- at any time: then the next attempt looks at everything.
CREATE TABLE checkpoints (
    library_id uuid PRIMARY KEY,
    scan_id uuid NOT NULL,
    look text NOT NULL,
    file_system text NOT NULL,
    through bytea NOT NULL
);

-- What that scan has recorded, all its attempts together, in msgpack.
ALTER TABLE index_libraries ADD COLUMN so_far bytea;
