-- proves: fails 0A000
CREATE TABLE visits (id bigint PRIMARY KEY, at date NOT NULL) PARTITION BY RANGE (at);
