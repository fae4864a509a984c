-- proves: nothing
CREATE TABLE invoices (id bigint PRIMARY KEY, order_id integer REFERENCES orders);
