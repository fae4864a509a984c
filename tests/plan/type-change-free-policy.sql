-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
ALTER TABLE t ADD v varchar(20);
CREATE POLICY pol ON t AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (b <> 'x') WITH CHECK (a > 0); CREATE POLICY sel ON t FOR SELECT USING (b IS NOT NULL OR v = 'w'); COMMENT ON POLICY pol ON t IS 'it''s';
-- statement
ALTER TABLE t ALTER v TYPE varchar(50);
-- plain
DROP POLICY sel ON t; ALTER TABLE t ALTER v TYPE varchar(50); CREATE POLICY sel ON t FOR SELECT USING (b IS NOT NULL OR v = 'w');
