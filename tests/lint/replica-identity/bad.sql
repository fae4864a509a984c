-- proves: breaks UPDATE orders SET amount = amount WHERE id = 1
ALTER TABLE orders REPLICA IDENTITY NOTHING;
CREATE PUBLICATION changes FOR TABLE orders;
