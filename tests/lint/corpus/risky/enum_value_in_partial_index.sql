-- truth: risky: a new value cannot be used in the transaction that adds it
-- base: shop
-- sending: transaction
-- at: CREATE INDEX
-- proves: fails 55P04

ALTER TYPE order_status ADD VALUE 'cancelled';
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL, status order_status NOT NULL);
CREATE INDEX refunds_cancelled_idx ON refunds (order_id) WHERE status = 'cancelled';
