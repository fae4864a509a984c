BEGIN;

-- Running downgrade 1a2b -> 

DROP TABLE a;

COMMIT;
