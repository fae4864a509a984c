-- What a run is, how far it got, and what it left behind. Every table has a primary key: tables
-- without one could not be updated under a publication.

CREATE TABLE pgalter.run (
  run uuid PRIMARY KEY,
  command text NOT NULL,
  target text NOT NULL,
  relid oid NOT NULL,
  spec jsonb NOT NULL,
  state text NOT NULL
    CHECK (state IN ('running', 'paused', 'waiting', 'ready', 'done', 'failed', 'aborted', 'reverted')),
  phase text NOT NULL,
  done_rows bigint NOT NULL DEFAULT 0,
  total_rows bigint NOT NULL DEFAULT 0,
  progress jsonb NOT NULL DEFAULT '{}',
  failure text,
  created_by text NOT NULL DEFAULT session_user,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  finished_at timestamptz
);

-- One run a table; the lease decides who may move rows, this only who may begin.
CREATE UNIQUE INDEX run_active_relid ON pgalter.run (relid)
  WHERE state IN ('running', 'paused', 'waiting', 'ready');

CREATE TABLE pgalter.lease (
  run uuid PRIMARY KEY REFERENCES pgalter.run ON DELETE CASCADE,
  epoch bigint NOT NULL,
  owner text NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Another row than the lease: chunks hold that one FOR SHARE.
CREATE TABLE pgalter.heartbeat (
  run uuid PRIMARY KEY REFERENCES pgalter.run ON DELETE CASCADE,
  epoch bigint NOT NULL,
  host text NOT NULL,
  process integer NOT NULL,
  backend_pid integer NOT NULL,
  backend_start timestamptz NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE pgalter.step (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  ordinal integer NOT NULL,
  id text NOT NULL,
  kind text NOT NULL,
  phase text NOT NULL,
  sql text[] NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'running', 'done', 'undone')),
  started_at timestamptz,
  ended_at timestamptz,
  PRIMARY KEY (run, ordinal)
);

CREATE TABLE pgalter.artefact (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  kind text NOT NULL,
  name text NOT NULL,
  relation text NOT NULL DEFAULT '',
  relid oid NOT NULL DEFAULT 0,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  dropped_at timestamptz,
  PRIMARY KEY (run, kind, name)
);

CREATE TABLE pgalter.control (
  run uuid PRIMARY KEY REFERENCES pgalter.run ON DELETE CASCADE,
  wanted text NOT NULL DEFAULT 'run' CHECK (wanted IN ('run', 'pause', 'abort')),
  throttle jsonb NOT NULL DEFAULT '{}',
  changed_by text NOT NULL DEFAULT session_user,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE pgalter.sample (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_rows bigint NOT NULL,
  rows_per_s double precision NOT NULL,
  throttle_ratio double precision NOT NULL,
  throttle_reason text NOT NULL,
  PRIMARY KEY (run, at)
);
