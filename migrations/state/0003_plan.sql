-- Runs of a plan: what a step is beyond its statements, how it is taken back, how far people want
-- the run to go, and which gates they have passed.

ALTER TABLE pgalter.step
  ADD spec jsonb NOT NULL DEFAULT '{}',
  ADD undo text[] NOT NULL DEFAULT '{}';

ALTER TABLE pgalter.control
  ADD through text NOT NULL DEFAULT 'contract'
    CHECK (through IN ('expand', 'migrate', 'contract')),
  ADD passed text[] NOT NULL DEFAULT '{}',
  DROP CONSTRAINT control_wanted_check,
  ADD CONSTRAINT control_wanted_check CHECK (wanted IN ('run', 'pause', 'abort', 'revert'));

-- A plan may change several tables, or make its first: which ones a run has for itself while it is
-- active. Whoever begins has looked here under an advisory lock.
DROP INDEX pgalter.run_active_relid;
CREATE TABLE pgalter.run_table (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  relid oid NOT NULL,
  PRIMARY KEY (run, relid)
);
INSERT INTO pgalter.run_table SELECT run, relid FROM pgalter.run WHERE relid <> 0;
