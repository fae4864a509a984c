-- truth: risky: a DO block is a transaction: fails
-- base: shop
-- proves: fails 25001

DO $$ BEGIN
  EXECUTE 'CREATE INDEX CONCURRENTLY orders_placed_at_idx ON orders (placed_at)';
END $$;
