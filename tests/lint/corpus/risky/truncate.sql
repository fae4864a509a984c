-- truth: risky: all rows are lost
-- base: shop
-- proves: answers SELECT count(*) FROM sessions

TRUNCATE TABLE sessions;
