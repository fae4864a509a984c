-- The changes of one table on their way into another. `seen` is the snapshot until which the log was
-- taken: what it does not see as ended is new.
CREATE TABLE pgalter.flow (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  name text NOT NULL CHECK (name IN ('forward', 'reverse')),
  from_relid oid NOT NULL,
  to_relid oid NOT NULL,
  spec jsonb NOT NULL,
  seen text NOT NULL DEFAULT '3:3:',
  PRIMARY KEY (run, name)
);

-- What a rebuild made, and what is still to be made.
CREATE TABLE pgalter.rebuild (
  run uuid PRIMARY KEY REFERENCES pgalter.run ON DELETE CASCADE,
  source oid NOT NULL,
  shadow oid NOT NULL,
  schema text NOT NULL,
  definition jsonb NOT NULL,
  swapped_at timestamptz,
  blocked_ms double precision
);
