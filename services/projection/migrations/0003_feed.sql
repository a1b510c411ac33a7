-- The feed.
SELECT 1;
