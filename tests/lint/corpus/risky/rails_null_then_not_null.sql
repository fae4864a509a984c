-- truth: risky: change_column_null with a default: fills every row, then reads them all under lock
-- base: rails
-- sending: transaction
-- at: SET NOT NULL
-- proves: scan public.articles
-- proves: lock public.articles ACCESS EXCLUSIVE

UPDATE "articles" SET "published" = FALSE WHERE "published" IS NULL;
ALTER TABLE "articles" ALTER COLUMN "published" SET NOT NULL;
ALTER TABLE "articles" ALTER COLUMN "published" SET DEFAULT FALSE;
INSERT INTO "schema_migrations" ("version") VALUES ('20250611093012');
