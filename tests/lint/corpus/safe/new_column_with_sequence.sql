-- truth: safe: the sequence counts for rows to come only
-- base: shop

BEGIN;
ALTER TABLE order_lines ADD COLUMN seq bigint;
CREATE SEQUENCE order_lines_seq_seq AS bigint OWNED BY order_lines.seq;
ALTER TABLE order_lines ALTER COLUMN seq SET DEFAULT nextval('order_lines_seq_seq');
ALTER SEQUENCE orders_id_seq CACHE 20;
COMMIT;
