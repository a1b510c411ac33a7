-- Where a collection is now, as the id that its path would give it: it keeps the id of the path where it was found first.
ALTER TABLE index_collections ADD COLUMN place uuid;
UPDATE index_collections SET place = collection_id;
ALTER TABLE index_collections ALTER COLUMN place SET NOT NULL;
CREATE INDEX index_collections_place ON index_collections (place);
-- To find what a collection at an unknown place was before.
CREATE INDEX index_collections_digest ON index_collections (digest) WHERE kind = 'folder';
CREATE INDEX index_collections_archive ON index_collections (mtime_ns, size_bytes) WHERE kind = 'archive';
