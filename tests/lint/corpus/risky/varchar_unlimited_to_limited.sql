-- truth: risky: varchar without a length to varchar(255)
-- base: rails
-- proves: rewrite public.users

ALTER TABLE "users" ALTER COLUMN "email" TYPE character varying(255);
