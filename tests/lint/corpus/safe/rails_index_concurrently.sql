-- truth: safe: a migration with disable_ddl_transaction!
-- base: rails

ALTER TABLE "articles" ADD "slug" character varying;
CREATE UNIQUE INDEX CONCURRENTLY "index_articles_on_slug" ON "articles" ("slug");
INSERT INTO "schema_migrations" ("version") VALUES ('20250613080000');
