-- truth: risky: CASCADE empties orders and payments as well
-- base: shop
-- proves: answers SELECT count(*) FROM payments

TRUNCATE customers RESTART IDENTITY CASCADE;
