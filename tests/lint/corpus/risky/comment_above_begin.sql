-- truth: risky: comments and blank lines around BEGIN do not end the transaction
-- base: shop
-- at: CREATE INDEX
-- proves: fails 25001

/* ticket 4711 /* nested */ */
-- start
BEGIN ISOLATION LEVEL READ COMMITTED;

-- an index ; for reports
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_placed_at_idx ON orders (placed_at);

END;
