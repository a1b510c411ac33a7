-- What is known and not there: it keeps its row, and says since when and which scan found so.
ALTER TABLE collections
    ADD COLUMN missing_since timestamptz,
    ADD COLUMN missing_scan_id uuid;

-- state: held | settled | replaced | approved | rejected
ALTER TABLE holds
    ADD COLUMN message text NOT NULL DEFAULT '',
    ADD COLUMN decided_by text,
    ADD COLUMN decided_at timestamptz;

-- What scans proposed to mark missing; of a scan that holds, those of the hold's attempt.
CREATE TABLE proposals (
    scan_id uuid NOT NULL,
    attempt bigint NOT NULL,
    collection_id uuid NOT NULL,
    workspace text NOT NULL,
    library_id uuid NOT NULL,
    PRIMARY KEY (scan_id, attempt, collection_id)
);

ALTER TABLE libraries ADD COLUMN guard text NOT NULL DEFAULT '{}'; -- JSON, as in the events
