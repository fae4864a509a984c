-- server: 17
-- proves: rewrite prices
ALTER TABLE prices ALTER COLUMN gross SET EXPRESSION AS (net * 3);
