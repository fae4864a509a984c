-- truth: safe: all of it is new
-- base: shop

CREATE SEQUENCE invoice_number_seq START WITH 10000 INCREMENT BY 1 CACHE 1;
CREATE TABLE invoices (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number bigint NOT NULL DEFAULT nextval('invoice_number_seq') UNIQUE,
  order_id bigint NOT NULL,
  issued_on date NOT NULL DEFAULT CURRENT_DATE,
  total numeric(12,2) NOT NULL CHECK (total >= 0),
  CONSTRAINT invoices_issued CHECK (issued_on >= DATE '2020-01-01')
);
ALTER SEQUENCE invoice_number_seq OWNED BY invoices.number;
