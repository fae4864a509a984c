CREATE TABLE invoice_states (state text PRIMARY KEY);
