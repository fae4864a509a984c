-- Wider, or without a limit: the rows are right as they are.
ALTER TABLE customers ALTER COLUMN email TYPE varchar(200);
ALTER TABLE customers ALTER COLUMN score TYPE numeric(12, 2);

-- Anything else in a new column, which a trigger keeps current and a backfill fills.
ALTER TABLE customers ADD COLUMN code_new bigint;
