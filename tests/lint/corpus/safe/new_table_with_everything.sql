-- truth: safe: nobody uses the new table, and the foreign key finds no rows
-- base: shop

CREATE TABLE IF NOT EXISTS order_events (
  id bigint GENERATED ALWAYS AS IDENTITY,
  order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind <> ''),
  token uuid NOT NULL DEFAULT gen_random_uuid(),
  happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  total integer GENERATED ALWAYS AS (length(token::text)) STORED,
  PRIMARY KEY (id)
);
CREATE INDEX order_events_order_id_idx ON order_events (order_id);
CREATE UNIQUE INDEX ON order_events (token);
ALTER TABLE order_events ADD CONSTRAINT order_events_kind UNIQUE (order_id, kind);
ALTER TABLE order_events ALTER COLUMN kind TYPE varchar(40);
CREATE TRIGGER order_events_touch BEFORE UPDATE ON order_events
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
ALTER TABLE order_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY order_events_all ON order_events USING (true);
GRANT SELECT, INSERT ON order_events TO corpus_app;
COMMENT ON TABLE order_events IS 'what happened to an order';
INSERT INTO order_events (order_id, kind) SELECT id, 'made' FROM orders WHERE id = 1;
