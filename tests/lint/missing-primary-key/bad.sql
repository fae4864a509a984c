-- proves: nothing
CREATE TABLE invoices (id bigint, total numeric(12, 2));
