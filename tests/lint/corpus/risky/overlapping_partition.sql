-- truth: risky: another partition has that range
-- base: warehouse
-- proves: fails 42P17

CREATE TABLE stats.measurements_2024_h2 PARTITION OF stats.measurements
    FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
