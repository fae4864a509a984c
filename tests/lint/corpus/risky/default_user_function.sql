-- truth: risky: the default calls a function that is volatile because nobody said otherwise
-- base: shop
-- proves: rewrite public.customers

ALTER TABLE customers ADD COLUMN promo text DEFAULT next_code();
