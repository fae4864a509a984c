-- Only says which index the next one is to follow.
ALTER TABLE archive CLUSTER ON archive_pkey;
