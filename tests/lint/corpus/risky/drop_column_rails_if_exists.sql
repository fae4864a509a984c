-- truth: risky: remove_column
-- base: rails
-- sending: transaction
-- proves: gone public.users.sign_in_count

ALTER TABLE "users" DROP COLUMN IF EXISTS "sign_in_count";
