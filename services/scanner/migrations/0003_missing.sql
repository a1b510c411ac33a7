-- Collections that are known and not there. Their images stay; one image that is missing in a collection that is there
-- is a row of index_images with a size of -1.
ALTER TABLE index_collections ADD COLUMN missing boolean NOT NULL DEFAULT false;

-- Whose library it is, for whoever decides about it: known from the first event on that is seen from now on.
ALTER TABLE index_libraries ADD COLUMN workspace text;

-- What scans proposed to mark missing. Once one of them is held, only its proposals stay.
CREATE TABLE index_proposals (
    library_id uuid NOT NULL,
    scan_id uuid NOT NULL,
    attempt integer NOT NULL,
    collection_id uuid NOT NULL,
    PRIMARY KEY (library_id, scan_id, attempt, collection_id)
);
