-- truth: safe: nobody waits
-- base: shop

DROP INDEX CONCURRENTLY IF EXISTS orders_reference_idx;
