-- truth: risky: an index of each partition, built in a DO block
-- base: warehouse
-- proves: scan stats.visits_2024

DO $$
DECLARE t regclass;
BEGIN
  FOR t IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'stats.visits'::regclass LOOP
    EXECUTE format('CREATE INDEX ON %s (path)', t);
  END LOOP;
END $$;
