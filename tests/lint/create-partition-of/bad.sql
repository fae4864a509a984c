-- proves: lock logs ACCESS EXCLUSIVE
-- proves: scan logs_rest under ACCESS EXCLUSIVE
CREATE TABLE logs_2027 PARTITION OF logs FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
