-- truth: risky: the condition of an index compares with the old type
-- base: shop
-- at: ALTER TABLE orders
-- proves: fails 42883

CREATE TYPE order_status_new AS ENUM ('new', 'paid', 'shipped', 'returned');
DROP VIEW open_orders;
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT,
  ALTER COLUMN status TYPE order_status_new USING status::text::order_status_new;
