-- truth: risky: a new sequence starts at 1, and the table has those numbers
-- base: shop
-- at: SET DEFAULT nextval
-- proves: breaks INSERT INTO orders (customer_id, amount, status) VALUES (1, 1, 'new')

CREATE SEQUENCE orders_seq INCREMENT BY 50 OWNED BY orders.id;
ALTER TABLE orders ALTER COLUMN id SET DEFAULT nextval('orders_seq');
