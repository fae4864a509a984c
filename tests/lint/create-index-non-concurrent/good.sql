CREATE INDEX CONCURRENTLY orders_amount ON orders (amount);

-- Only the entry in the catalog; the partitions' indexes are built one by one, and attached.
CREATE INDEX events_body ON ONLY events (body);
CREATE INDEX CONCURRENTLY events_2024_body ON events_2024 (body);
ALTER INDEX events_body ATTACH PARTITION events_2024_body;
