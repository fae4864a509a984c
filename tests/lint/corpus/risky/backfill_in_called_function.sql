-- truth: risky: the rows are changed by a function that is made, called and dropped
-- base: shop
-- at: SELECT backfill_references
-- proves: changes public.orders

CREATE FUNCTION backfill_references() RETURNS void LANGUAGE plpgsql AS $fn$
BEGIN
  UPDATE orders SET reference = 'O-' || id;
END
$fn$;
SELECT backfill_references();
DROP FUNCTION backfill_references();
