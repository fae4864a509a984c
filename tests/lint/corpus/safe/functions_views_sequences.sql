-- truth: safe: new objects beside the tables
-- base: shop

CREATE SEQUENCE invoice_no START 1000;
CREATE VIEW paid_orders AS SELECT id, amount FROM orders WHERE status = 'paid';
CREATE OR REPLACE FUNCTION order_total(bigint) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT sum(amount) FROM orders WHERE customer_id = $1; $$;
CREATE OR REPLACE VIEW paid_orders AS SELECT id, amount, customer_id FROM orders WHERE status = 'paid';
