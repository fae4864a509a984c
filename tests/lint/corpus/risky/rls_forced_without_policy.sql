-- truth: risky: not even the owner sees a row
-- base: shop
-- proves: answers SET ROLE corpus_app; SELECT count(*) FROM sessions

-- history
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
-- rows
ALTER TABLE sessions OWNER TO corpus_app;

-- migration
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
