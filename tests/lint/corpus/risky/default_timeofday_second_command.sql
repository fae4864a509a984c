-- truth: risky: the second of three commands rewrites the table
-- base: shop
-- proves: rewrite public.sessions

ALTER TABLE sessions
  ADD COLUMN ip inet,
  ADD COLUMN stamp text NOT NULL DEFAULT md5(timeofday()),
  ALTER COLUMN data SET DEFAULT '';
