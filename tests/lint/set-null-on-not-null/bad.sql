-- proves: nothing
CREATE TABLE invoices (
  id bigint PRIMARY KEY,
  order_id bigint NOT NULL REFERENCES orders ON DELETE SET NULL
);
