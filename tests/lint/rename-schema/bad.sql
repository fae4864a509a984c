-- proves: breaks SELECT pieces FROM shop.stock
ALTER SCHEMA shop RENAME TO store;
