-- setup
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
INSERT INTO t SELECT i, i % 7, 'r' || i, '2024-01-01' FROM generate_series(1, 200) i;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
-- statement
DROP TRIGGER tr ON t;
-- answer as-is
