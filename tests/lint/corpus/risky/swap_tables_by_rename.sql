-- truth: risky: a new table takes the place of the old one, whose rows clients still want
-- base: shop
-- at: RENAME TO sessions_old
-- sending: transaction
-- proves: lock public.sessions ACCESS EXCLUSIVE
-- proves: answers SELECT count(*) FROM sessions

CREATE TABLE sessions_new (LIKE sessions INCLUDING ALL);
ALTER TABLE sessions RENAME TO sessions_old;
ALTER TABLE sessions_new RENAME TO sessions;
