-- truth: risky: fewer digits of seconds rewrites
-- base: jpa
-- proves: rewrite public.account

alter table account alter column created_at type timestamp(3);
