-- truth: risky: nobody but the owner sees a row
-- base: shop
-- proves: answers SET ROLE corpus_app; SELECT count(*) FROM sessions

-- rows
GRANT SELECT ON sessions TO corpus_app;

-- migration
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
