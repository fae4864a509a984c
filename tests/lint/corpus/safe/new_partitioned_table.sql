-- truth: safe: parent, partitions and indexes are all new
-- base: warehouse

CREATE TABLE stats.clicks (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE stats.clicks_2024 PARTITION OF stats.clicks FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE stats.clicks_default PARTITION OF stats.clicks DEFAULT;
CREATE INDEX clicks_at_idx ON stats.clicks (at);
ALTER TABLE stats.clicks ADD PRIMARY KEY (id, at);
