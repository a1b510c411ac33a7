-- What has been missing for so long is forgotten; 0: never.
ALTER TABLE libraries ADD COLUMN purge_missing_after_days integer NOT NULL DEFAULT 0;
