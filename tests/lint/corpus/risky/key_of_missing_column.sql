-- truth: risky: the key's column is spelled otherwise
-- base: shop
-- proves: fails 42703

CREATE TABLE invoice_lines (
  invoice_id bigint NOT NULL,
  line_no integer NOT NULL,
  PRIMARY KEY (invoice_id, lineno)
);
