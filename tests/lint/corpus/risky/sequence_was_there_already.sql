-- truth: risky: the serial column has made it
-- base: shop
-- proves: fails 42P07

CREATE SEQUENCE customers_id_seq;
