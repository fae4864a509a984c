-- proves: nothing
CREATE TABLE "Invoices" (id bigint PRIMARY KEY);
