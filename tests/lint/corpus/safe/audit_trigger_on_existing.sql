-- truth: safe: a new table, its function, and a trigger that writes to it
-- base: shop
-- sending: transaction

SET LOCAL lock_timeout = '2s';
CREATE TABLE order_audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id bigint NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  old_row jsonb
);
CREATE FUNCTION audit_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO order_audit (order_id, old_row) VALUES (OLD.id, to_jsonb(OLD));
  RETURN NULL;
END $$;
CREATE TRIGGER orders_audit AFTER UPDATE OR DELETE ON orders
  FOR EACH ROW EXECUTE FUNCTION audit_order();
