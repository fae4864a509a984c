-- truth: risky: the trigger goes with its function
-- base: shop
-- proves: answers SELECT count(*) FROM pg_trigger WHERE tgname = 'customers_touch'

DROP FUNCTION touch_updated_at() CASCADE;
