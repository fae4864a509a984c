-- truth: safe: the DO block makes the table that it indexes
-- base: shop

DO $$
BEGIN
  IF to_regclass('public.feature_flags') IS NULL THEN
    CREATE TABLE feature_flags (name text, enabled boolean NOT NULL DEFAULT false);
    EXECUTE 'CREATE UNIQUE INDEX feature_flags_name_idx ON feature_flags (name)';
    ALTER TABLE feature_flags ADD CHECK (name <> '');
  END IF;
END $$;
