-- truth: risky: fails
-- base: shop
-- sending: transaction
-- proves: fails 25001

REINDEX (CONCURRENTLY) TABLE orders;
