-- truth: safe: what looks like SQL is text
-- base: shop

/* DROP TABLE orders; */
-- ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;
INSERT INTO products (sku, title, price) VALUES ('X'';', 'DROP TABLE orders; -- '' CREATE INDEX i ON orders (id);', 1);
COMMENT ON COLUMN orders.note IS $c$ TRUNCATE orders; $c$;
