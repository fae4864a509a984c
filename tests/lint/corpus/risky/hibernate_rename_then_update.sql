-- truth: risky: Hibernate's column gets another name while the old code runs
-- base: jpa
-- sending: transaction
-- proves: breaks SELECT reference FROM booking LIMIT 1

alter table booking rename column reference to external_reference;
