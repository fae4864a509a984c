-- truth: safe: both spellings
-- base: shop

REINDEX INDEX CONCURRENTLY orders_reference_idx;
REINDEX (CONCURRENTLY, VERBOSE) TABLE customers;
