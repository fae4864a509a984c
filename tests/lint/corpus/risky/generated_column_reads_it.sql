-- truth: risky: a column that another is generated from keeps its type, in a new table as well
-- base: shop
-- server: 15
-- proves: fails 0A000
-- sending: one-query

CREATE TABLE invoices (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  net numeric(12,2) NOT NULL,
  tax numeric(12,2) NOT NULL,
  gross numeric(12,2) GENERATED ALWAYS AS (net + tax) STORED,
  order_id bigint NOT NULL REFERENCES orders (id)
);
ALTER TABLE invoices ADD COLUMN number text NOT NULL;
ALTER TABLE invoices ADD CONSTRAINT invoices_number_key UNIQUE (number);
CREATE INDEX ON invoices (order_id);
ALTER TABLE invoices ALTER COLUMN net TYPE numeric(14,4);
