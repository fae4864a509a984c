-- truth: risky: a column is written twice
-- base: shop
-- proves: fails 42701

CREATE TABLE invoices (
  id bigint PRIMARY KEY,
  order_id bigint NOT NULL,
  amount integer,
  order_id bigint
);
