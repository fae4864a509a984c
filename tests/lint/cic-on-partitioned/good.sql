CREATE INDEX events_body ON ONLY events (body);
CREATE INDEX CONCURRENTLY events_2024_body ON events_2024 (body);
CREATE INDEX CONCURRENTLY events_2025_body ON events_2025 (body);
ALTER INDEX events_body ATTACH PARTITION events_2024_body;
ALTER INDEX events_body ATTACH PARTITION events_2025_body;
