-- truth: safe: MERGE of two given rows
-- base: shop
-- server: 15

MERGE INTO products p
USING (VALUES ('SKU1', 'First'), ('NEW1', 'Fresh')) AS v(sku, title) ON p.sku = v.sku
WHEN MATCHED THEN UPDATE SET title = v.title
WHEN NOT MATCHED THEN INSERT (sku, title, price) VALUES (v.sku, v.title, 1);
