-- truth: risky: the type stays, the USING rewrites
-- base: shop
-- proves: rewrite public.payments

ALTER TABLE payments ALTER COLUMN amount TYPE integer USING amount * 100;
