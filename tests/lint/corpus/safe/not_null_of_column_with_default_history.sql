-- truth: safe: Rails says again what the dump says
-- base: rails

ALTER TABLE "users" ALTER COLUMN "sign_in_count" SET NOT NULL;
ALTER TABLE "users" ADD "time_zone" character varying DEFAULT 'UTC' NOT NULL;
ALTER TABLE "users" ALTER COLUMN "admin" SET DEFAULT TRUE;
