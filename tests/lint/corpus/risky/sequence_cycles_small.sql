-- truth: risky: the sequence ends below numbers that it has given
-- base: shop
-- proves: fails 22023

ALTER SEQUENCE orders_id_seq AS integer MAXVALUE 100;
