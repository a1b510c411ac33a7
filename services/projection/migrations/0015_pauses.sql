-- Why a run rests (JSON: who, when, why), and which device it works on or waits for.
ALTER TABLE jobs ADD COLUMN paused text;
ALTER TABLE jobs ADD COLUMN device text;
ALTER TABLE jobs ADD COLUMN device_limit integer;
