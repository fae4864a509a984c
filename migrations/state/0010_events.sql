-- What happened around a run: who was told and what he answered, which rules were broken.
CREATE TABLE pgalter.event (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  event text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('hook', 'webhook', 'rule')),
  name text NOT NULL,  -- of the hook's file, the webhook's place in the file, or the rule
  code integer,        -- exit code, or HTTP status
  said text NOT NULL DEFAULT '',
  PRIMARY KEY (run, id)
);
