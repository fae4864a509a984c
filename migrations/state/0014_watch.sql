-- What a run's curve has besides rows and pace: chunks, what a commit takes, lag by standby. As JSON: which standbys
-- there are changes, and a plot is all that reads it.
ALTER TABLE pgalter.sample ADD COLUMN facts jsonb;

-- Who waited for whom around a run: from when somebody waited for it, or it for somebody, until nobody did.
CREATE TABLE pgalter.lock_episode (
  run uuid NOT NULL REFERENCES pgalter.run ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  began_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  step text NOT NULL,
  waiters integer NOT NULL,  -- the most at one time
  trees jsonb NOT NULL,      -- at that time; statements without their literals
  PRIMARY KEY (run, id)
);
