-- truth: risky: add_reference builds its index in place, and checks the key on every row
-- base: rails
-- sending: transaction
-- at: CREATE INDEX
-- proves: scan public.comments

ALTER TABLE "comments" ADD "user_id" bigint;
CREATE INDEX "index_comments_on_user_id" ON "comments" ("user_id");
ALTER TABLE "comments" ADD CONSTRAINT "fk_rails_03de2dc08c"
FOREIGN KEY ("user_id")
  REFERENCES "users" ("id")
;
INSERT INTO "schema_migrations" ("version") VALUES ('20250612101500');
