-- truth: safe: only the rows that were listed are changed
-- base: shop

CREATE TEMP TABLE fix (id bigint PRIMARY KEY, note text);
INSERT INTO fix VALUES (1, 'one'), (2, 'two'), (3, 'three');
ANALYZE fix;
UPDATE orders SET note = fix.note FROM fix WHERE orders.id = fix.id;
DROP TABLE fix;
