-- truth: safe: a sequence's type, and its next value far ahead
-- base: shop

ALTER SEQUENCE orders_id_seq MAXVALUE 9223372036854775807 CACHE 50;
