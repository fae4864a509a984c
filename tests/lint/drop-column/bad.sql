-- proves: loses SELECT max(note) FROM customers
ALTER TABLE customers DROP COLUMN note;
