-- truth: risky: all its rows are gone
-- base: shop
-- proves: gone public.payments

DROP TABLE IF EXISTS payments;
