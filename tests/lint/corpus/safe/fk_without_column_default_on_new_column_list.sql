-- truth: safe: Rails' add_reference with validate: false
-- base: rails

ALTER TABLE "comments" ADD "user_id" bigint;
CREATE INDEX CONCURRENTLY "index_comments_on_user_id" ON "comments" ("user_id");
ALTER TABLE "comments" ADD CONSTRAINT "fk_rails_03de2dc08c" FOREIGN KEY ("user_id") REFERENCES "users" ("id") NOT VALID;
ALTER TABLE "comments" VALIDATE CONSTRAINT "fk_rails_03de2dc08c";
