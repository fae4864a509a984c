-- Holds for what is written from now on.
ALTER DOMAIN positive ADD CONSTRAINT not_huge CHECK (VALUE < 1000000) NOT VALID;

-- On the table it can be proved while others work.
ALTER TABLE customers ADD CONSTRAINT rank_not_huge CHECK (rank < 1000000) NOT VALID;
ALTER TABLE customers VALIDATE CONSTRAINT rank_not_huge;
