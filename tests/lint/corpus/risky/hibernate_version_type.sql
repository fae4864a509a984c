-- truth: risky: lower-case and if exists
-- base: jpa
-- proves: rewrite public.account

alter table if exists account alter column version set data type bigint;
