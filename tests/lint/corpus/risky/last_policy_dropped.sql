-- truth: risky: nobody but the owner sees a row
-- base: shop
-- proves: answers SET ROLE corpus_app; SELECT count(*) FROM sessions

-- history
CREATE POLICY everybody ON sessions USING (true);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
-- rows
GRANT SELECT ON sessions TO corpus_app;

-- migration
DROP POLICY everybody ON sessions;
