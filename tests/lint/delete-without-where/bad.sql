-- proves: loses SELECT count(*) FROM items
DELETE FROM items;
