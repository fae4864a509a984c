-- proves: breaks UPDATE items SET quantity = quantity WHERE order_id = 1
CREATE PUBLICATION changes FOR TABLE items;
