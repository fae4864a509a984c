-- proves: breaks INSERT INTO orders (id) VALUES (100000 + nextval('ticket'))
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT;
