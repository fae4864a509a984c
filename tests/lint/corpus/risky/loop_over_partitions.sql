-- truth: risky: one plain index after the other by format() in a loop
-- base: warehouse
-- proves: scan stats.measurements_2023

DO $$
DECLARE part text;
BEGIN
  FOREACH part IN ARRAY ARRAY['measurements_2023', 'measurements_2024'] LOOP
    EXECUTE format('CREATE INDEX %I ON stats.%I (sensor_id)', part || '_sensor_idx', part);
  END LOOP;
END $$;
