-- truth: safe: constants and NULL need no rewriting
-- base: warehouse

ALTER TABLE stats.measurements ADD COLUMN unit text DEFAULT 'C';
ALTER TABLE stats.visits ADD COLUMN IF NOT EXISTS referrer text;
