-- proves: loses SELECT count(state) FROM customers
DROP TYPE mood CASCADE;
