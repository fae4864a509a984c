-- proves: nothing
CREATE TYPE invoice_state AS ENUM ('open', 'paid');
