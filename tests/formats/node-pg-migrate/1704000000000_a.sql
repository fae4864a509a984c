-- Down Migration
SELECT no 1;
-- Up Migration
SELECT 1;
