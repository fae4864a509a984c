-- truth: risky: there is no online form of EXCLUDE
-- base: warehouse
-- proves: scan app.documents

ALTER TABLE app.documents ADD CONSTRAINT documents_period_excl EXCLUDE USING gist (period WITH &&);
