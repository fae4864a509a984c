-- What was seen of a run's tables and of the server by those who went on watching after it had come to rest. Figures and
-- names, no rows.
CREATE TABLE pgalter.observation (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_by name NOT NULL DEFAULT session_user,
  facts jsonb NOT NULL,
  PRIMARY KEY (run, id)
);
