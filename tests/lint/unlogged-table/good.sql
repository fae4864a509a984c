CREATE TABLE cache (id bigint PRIMARY KEY, body text);
