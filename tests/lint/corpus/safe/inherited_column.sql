-- truth: safe: the children get it from the catalog as well
-- base: warehouse

ALTER TABLE app.people ADD COLUMN email text;
ALTER TABLE stats.measurements ADD COLUMN unit text DEFAULT 'C';
