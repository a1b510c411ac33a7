-- A scan that somebody undid. Collections that it had found new are withdrawn: state present | missing | withdrawn.
ALTER TABLE scans
    ADD COLUMN undone_at timestamptz,
    ADD COLUMN undone_by text;
