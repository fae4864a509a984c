--- UP  migration: the second
SELECT 2;
SELECT 22;
