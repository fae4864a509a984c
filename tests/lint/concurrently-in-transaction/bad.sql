-- sending: transaction
-- proves: fails 25001
CREATE INDEX CONCURRENTLY orders_amount ON orders (amount);
