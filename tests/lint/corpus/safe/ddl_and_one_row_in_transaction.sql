-- truth: safe: the row is found by its key, the lock is held for an instant
-- base: rails

BEGIN;
ALTER TABLE "users" ADD "time_zone" character varying;
UPDATE "users" SET "time_zone" = 'UTC' WHERE "users"."id" = 1;
INSERT INTO "schema_migrations" ("version") VALUES ('20240301000000');
COMMIT;
