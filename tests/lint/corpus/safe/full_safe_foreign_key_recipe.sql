-- truth: safe: column, index, key and validation, each by itself
-- base: shop

SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN parent_id bigint;
RESET lock_timeout;
CREATE INDEX CONCURRENTLY orders_parent_id_idx ON orders (parent_id);
SET lock_timeout = '2s';
ALTER TABLE orders ADD CONSTRAINT orders_parent_fk FOREIGN KEY (parent_id) REFERENCES orders (id) NOT VALID;
RESET lock_timeout;
ALTER TABLE orders VALIDATE CONSTRAINT orders_parent_fk;
