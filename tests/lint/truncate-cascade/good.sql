CREATE TABLE items_next (LIKE items);
TRUNCATE items_next CASCADE;
