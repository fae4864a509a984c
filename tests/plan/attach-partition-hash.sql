-- setup
CREATE TABLE h (id bigint NOT NULL) PARTITION BY HASH (id);
CREATE TABLE h_0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE n (id bigint NOT NULL); INSERT INTO n SELECT i FROM generate_series(1, 100) i WHERE satisfies_hash_partition('h'::regclass, 2, 1, i::bigint);
-- statement
ALTER TABLE h ATTACH PARTITION n FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- answer least-bad
