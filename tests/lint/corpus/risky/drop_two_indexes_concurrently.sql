-- truth: risky: only one index can be dropped concurrently at a time
-- base: shop
-- proves: fails 0A000

DROP INDEX CONCURRENTLY IF EXISTS orders_reference_idx, customers_last_seen_idx;
