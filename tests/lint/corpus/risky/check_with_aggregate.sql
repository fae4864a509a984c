-- truth: risky: a CHECK is about one row
-- base: shop
-- proves: fails 42803

CREATE TABLE budgets (id bigint PRIMARY KEY, amount integer NOT NULL, CHECK (sum(amount) < 100000));
