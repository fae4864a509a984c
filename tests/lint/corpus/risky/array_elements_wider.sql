-- truth: risky: integer[] to bigint[] rewrites
-- base: shop
-- proves: rewrite public.sessions

-- history
ALTER TABLE sessions ADD COLUMN cart integer[];

-- migration
ALTER TABLE sessions ALTER COLUMN cart TYPE bigint[];
