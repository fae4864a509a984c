-- truth: risky: REINDEX with options, none of them CONCURRENTLY
-- base: shop
-- proves: scan public.customers

REINDEX (VERBOSE) INDEX customers_last_seen_idx;
