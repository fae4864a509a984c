-- truth: risky: fails
-- base: shop
-- sending: transaction
-- at: VACUUM
-- proves: fails 25001

ANALYZE orders;
VACUUM orders;
