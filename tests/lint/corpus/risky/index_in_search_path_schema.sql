-- truth: risky: the search_path decides which table it is
-- base: warehouse
-- at: CREATE INDEX
-- proves: scan stats.sensors

SET search_path TO stats, public;
CREATE INDEX ON sensors (label);
