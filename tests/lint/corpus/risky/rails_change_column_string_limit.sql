-- truth: risky: change_column with a limit shortens every string
-- base: rails
-- sending: transaction
-- at: TYPE character varying(80)
-- proves: rewrite public.articles

ALTER TABLE "articles" ALTER COLUMN "title" TYPE character varying(80);
INSERT INTO "schema_migrations" ("version") VALUES ('20250701090000');
