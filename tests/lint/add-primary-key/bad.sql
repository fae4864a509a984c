-- proves: scan items under ACCESS EXCLUSIVE
ALTER TABLE items ADD PRIMARY KEY (order_id);
