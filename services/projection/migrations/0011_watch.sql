-- Whether changes on a library's disk are looked for between its scans.
ALTER TABLE libraries ADD COLUMN watch boolean NOT NULL DEFAULT false;
