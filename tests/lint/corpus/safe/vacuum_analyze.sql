-- truth: safe: plain VACUUM, outside of a transaction
-- base: shop

VACUUM (ANALYZE) orders;
