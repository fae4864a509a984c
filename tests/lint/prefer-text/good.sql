CREATE TABLE invoices (id bigint PRIMARY KEY, reference text CHECK (length(reference) <= 20));
