-- setup
CREATE TABLE m (a int NOT NULL, b int NOT NULL) PARTITION BY RANGE (a, b);
CREATE TABLE n (a int NOT NULL, b int NOT NULL); INSERT INTO n VALUES (1, 2);
-- statement
ALTER TABLE m ATTACH PARTITION n FOR VALUES FROM (0, 0) TO (5, 5);
-- answer least-bad
