-- truth: risky: the index is built inside a procedure
-- base: shop
-- at: CALL add_index
-- proves: scan public.orders

CREATE OR REPLACE PROCEDURE add_index_if_missing() LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_indexes WHERE indexname = 'orders_placed_at_idx') THEN
    CREATE INDEX orders_placed_at_idx ON orders (placed_at);
  END IF;
END;
$$;
CALL add_index_if_missing();
DROP PROCEDURE add_index_if_missing();
