-- proves: nothing
CREATE TABLE visits (id bigint, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
