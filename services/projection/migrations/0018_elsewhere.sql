-- Collections that go on in another library, under another id.
ALTER TABLE collections ADD COLUMN moved_to uuid;
CREATE INDEX collections_moved_to ON collections (moved_to) WHERE moved_to IS NOT NULL;
ALTER TABLE collection_moves ADD COLUMN from_library_id uuid; -- NULL: it was in the same library
