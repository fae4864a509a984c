CREATE SCHEMA store;
CREATE VIEW store.stock AS SELECT * FROM shop.stock;
