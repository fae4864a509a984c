-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
DO $$ BEGIN IF to_regrole('plan_owner') IS NULL THEN CREATE ROLE plan_owner; END IF; END $$;
-- statement
ALTER TABLE t OWNER TO plan_owner;
-- answer as-is
