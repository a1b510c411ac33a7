-- Lists and statistics.
SELECT 1;
