-- How far a backfill got, per relation (a leaf, where the table is partitioned).

CREATE TABLE pgalter.backfill_relation (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  relid oid NOT NULL,
  filenode oid NOT NULL,
  blocks bigint NOT NULL,
  PRIMARY KEY (run, relid)
);

-- A window [first_block, end_block) with `passes` of its `stripes` done; done when they are equal.
-- Neighbouring done windows are folded into one, so the table stays small at any size.
CREATE TABLE pgalter.backfill_window (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  relid oid NOT NULL,
  first_block bigint NOT NULL,
  end_block bigint NOT NULL CHECK (end_block > first_block),
  stripes integer NOT NULL,
  passes integer NOT NULL CHECK (passes <= stripes),
  updated_rows bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (run, relid, first_block)
);

-- Rows that could not be updated. Keys only, never values of other columns.
CREATE TABLE pgalter.quarantine (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  relid oid NOT NULL,
  key text NOT NULL,
  sqlstate text NOT NULL,
  object text NOT NULL DEFAULT '',
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run, relid, key)
);
