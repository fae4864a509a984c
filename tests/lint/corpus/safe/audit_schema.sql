-- truth: safe: all of it is new
-- base: shop

BEGIN;
CREATE SCHEMA IF NOT EXISTS audit;
CREATE TABLE IF NOT EXISTS audit.log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor name NOT NULL DEFAULT current_user,
  relation regclass NOT NULL,
  row_data jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS log_at_idx ON audit.log USING brin (at);
CREATE OR REPLACE FUNCTION audit.write() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
  INSERT INTO audit.log (relation, row_data) VALUES (TG_RELID, to_jsonb(COALESCE(NEW, OLD)));
  RETURN NULL;
END
$fn$;
COMMENT ON TABLE audit.log IS 'Who did what';
COMMENT ON COLUMN audit.log.row_data IS 'the row; quoted';
COMMIT;
