-- truth: risky: no unique key has those columns
-- base: shop
-- proves: fails 42830

CREATE TABLE shipment_lines (
  id bigint PRIMARY KEY,
  order_id bigint NOT NULL,
  line_no integer NOT NULL,
  FOREIGN KEY (order_id, line_no) REFERENCES order_lines (order_id, line_no)
);
