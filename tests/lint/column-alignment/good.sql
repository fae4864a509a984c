CREATE TABLE invoices (id bigint PRIMARY KEY, total bigint, paid boolean, sent boolean);
