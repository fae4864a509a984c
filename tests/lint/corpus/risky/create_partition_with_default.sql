-- truth: risky: the default partition is read under ACCESS EXCLUSIVE
-- base: warehouse
-- proves: scan stats.visits_other

CREATE TABLE stats.visits_2026 PARTITION OF stats.visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
