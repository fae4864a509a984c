-- truth: risky: the columns are gone with their contents
-- base: rails
-- sending: transaction
-- at: "updated_at"
-- proves: gone public.users.updated_at

ALTER TABLE "users" DROP COLUMN "updated_at", DROP COLUMN "created_at";
