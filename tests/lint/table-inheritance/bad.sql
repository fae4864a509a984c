-- proves: nothing
CREATE TABLE big_orders (weight integer) INHERITS (orders);
