-- truth: risky: DETACH CONCURRENTLY fails beside a default partition
-- base: warehouse
-- proves: fails 55000

ALTER TABLE stats.visits DETACH PARTITION stats.visits_2024 CONCURRENTLY;
