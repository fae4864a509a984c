-- truth: safe: COMMIT between the two steps
-- base: rails

BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE "articles" ADD CONSTRAINT "fk_rails_3d31dad1cc" FOREIGN KEY ("user_id") REFERENCES "users" ("id") NOT VALID;
COMMIT;
BEGIN;
ALTER TABLE "articles" VALIDATE CONSTRAINT "fk_rails_3d31dad1cc";
COMMIT;
