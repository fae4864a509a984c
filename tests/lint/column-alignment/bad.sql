-- proves: nothing
CREATE TABLE invoices (paid boolean, id bigint PRIMARY KEY, sent boolean, total bigint);
