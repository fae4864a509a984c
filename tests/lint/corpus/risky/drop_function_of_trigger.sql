-- truth: risky: a trigger still needs the function
-- base: shop
-- at: DROP FUNCTION
-- proves: fails 2BP01

CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
DROP FUNCTION touch_updated_at();
