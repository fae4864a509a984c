-- Up Migration
SELECT 3;
-- Down Migration
SELECT no 3;
