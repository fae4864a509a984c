-- truth: safe: the CHECK names no value beside those of the list
-- base: warehouse

-- history
CREATE TABLE stats.calls (region text, at timestamptz) PARTITION BY LIST (region);
CREATE TABLE stats.calls_north (region text, at timestamptz,
  CONSTRAINT north CHECK (region IS NOT NULL AND region IN ('no', 'se')));
-- rows
INSERT INTO stats.calls_north SELECT 'se', now() FROM generate_series(1, 2000);
-- migration
ALTER TABLE stats.calls ATTACH PARTITION stats.calls_north FOR VALUES IN ('no', 'se', 'fi');
