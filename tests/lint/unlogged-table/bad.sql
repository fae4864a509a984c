-- proves: nothing
CREATE UNLOGGED TABLE cache (id bigint PRIMARY KEY, body text);
