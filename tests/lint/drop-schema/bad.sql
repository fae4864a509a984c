-- proves: loses SELECT count(*) FROM shop.stock
DROP SCHEMA shop CASCADE;
