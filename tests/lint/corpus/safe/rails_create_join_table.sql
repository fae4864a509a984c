-- truth: safe: a new table with its keys and indexes
-- base: rails
-- sending: transaction

CREATE TABLE "articles_users" ("id" bigserial primary key, "article_id" bigint NOT NULL, "user_id" bigint NOT NULL, "created_at" timestamp(6) NOT NULL, CONSTRAINT "fk_rails_1" FOREIGN KEY ("article_id") REFERENCES "articles" ("id"), CONSTRAINT "fk_rails_2" FOREIGN KEY ("user_id") REFERENCES "users" ("id"));
CREATE UNIQUE INDEX "index_articles_users" ON "articles_users" ("article_id", "user_id");
INSERT INTO "schema_migrations" ("version") VALUES ('20250702090000');
