-- truth: risky: in batches, but all of them are one transaction
-- base: shop
-- proves: changes public.orders

DO $$
DECLARE
  touched integer;
BEGIN
  LOOP
    WITH batch AS (
      SELECT id FROM orders WHERE reference NOT LIKE 'X-%' LIMIT 500
    )
    UPDATE orders o SET reference = 'X-' || o.reference FROM batch WHERE o.id = batch.id;
    GET DIAGNOSTICS touched = ROW_COUNT;
    EXIT WHEN touched = 0;
  END LOOP;
END $$;
