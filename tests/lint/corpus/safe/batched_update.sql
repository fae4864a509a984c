-- truth: safe: a bounded range of keys, each with its own commit
-- base: shop

UPDATE customers SET nickname = lower(nickname) WHERE id >= 1 AND id < 500;
UPDATE customers SET nickname = lower(nickname) WHERE id >= 500 AND id < 1000;
