-- proves: loses SELECT count(*) FROM items
TRUNCATE items;
