-- Access tokens. The secret itself is nowhere; `hash` is its SHA-256.
CREATE TABLE tokens (
    token_id uuid PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    workspace text NOT NULL CHECK (workspace ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    last_used_at timestamptz
);

-- An actor names a token by its first eight characters, in events that stay for ever.
CREATE UNIQUE INDEX ON tokens (left(token_id::text, 8));
