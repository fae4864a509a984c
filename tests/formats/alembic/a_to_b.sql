BEGIN;

-- Running upgrade  -> 1a2b

CREATE TABLE a ();

COMMIT;
