-- Where the content of a library was recorded last: whether a collection has left it can be seen there alone.
ALTER TABLE index_libraries ADD COLUMN root bytea, ADD COLUMN file_system text NOT NULL DEFAULT '';
