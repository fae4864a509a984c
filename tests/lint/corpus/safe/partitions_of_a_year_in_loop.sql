-- truth: safe: twelve empty partitions, no default to be searched
-- base: warehouse

DO $$
DECLARE
  month date;
BEGIN
  SET LOCAL lock_timeout = '2s';
  FOR month IN SELECT generate_series(date '2026-01-01', date '2026-12-01', interval '1 month')::date LOOP
    EXECUTE format(
      'CREATE TABLE IF NOT EXISTS stats.measurements_%s PARTITION OF stats.measurements FOR VALUES FROM (%L) TO (%L)',
      to_char(month, 'YYYY_MM'), month, month + interval '1 month');
  END LOOP;
END $$;
