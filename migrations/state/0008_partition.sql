-- Partitions that `partition retain` has taken out of their table, and what became of them.
CREATE TABLE pgalter.retired (
  relid oid PRIMARY KEY,
  name text NOT NULL,
  parent text NOT NULL,
  parent_relid oid NOT NULL,
  bound text NOT NULL,
  detached_at timestamptz,
  file text,  -- on the machine that exported it
  sha256 text,
  rows bigint,
  exported_at timestamptz,
  dropped_at timestamptz
);

-- Partitions, or whole tables, that nobody drops, whatever else is asked for.
CREATE TABLE pgalter.legal_hold (
  relid oid PRIMARY KEY,
  name text NOT NULL,
  reason text NOT NULL,
  set_by text NOT NULL DEFAULT session_user,
  set_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
