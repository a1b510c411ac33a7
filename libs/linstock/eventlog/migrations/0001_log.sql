-- What a log keeps beside the recorder's own table `stored_events`.

-- One row: the epoch that positions of this log belong to. Renewed only by tools that change history.
CREATE TABLE epoch (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch uuid NOT NULL DEFAULT gen_random_uuid(),
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO epoch DEFAULT VALUES;

-- The newest state of an aggregate, to load it without all of its events. Can be deleted at any time.
CREATE TABLE snapshots (
    aggregate_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    shape text NOT NULL,
    state bytea NOT NULL
);

-- Runs in every insert's transaction. `ids` and `versions` name the last version that each append expects, for appends
-- to aggregates that exist: a version ahead of the log would leave a hole that the primary key cannot see.
CREATE FUNCTION check_append(not_before timestamptz, ids uuid[], versions bigint[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    IF not_before > clock_timestamp() THEN
        RAISE EXCEPTION 'instant % is in the future', not_before USING ERRCODE = 'LS001';
    END IF;
    IF EXISTS (
        SELECT FROM unnest(ids, versions) AS expected (id, version)
        WHERE NOT EXISTS (
            SELECT FROM stored_events AS e WHERE e.originator_id = expected.id AND e.originator_version = expected.version
        )
    ) THEN
        RAISE EXCEPTION 'an expected version is not there' USING ERRCODE = 'LS002';
    END IF;
END
$$;
