-- proves: fails 42P01
ALTER TABLE refunds ADD COLUMN reason text;
CREATE TABLE refunds (id bigint PRIMARY KEY);
