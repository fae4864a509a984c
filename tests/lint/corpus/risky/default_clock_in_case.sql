-- truth: risky: clock_timestamp() in a CASE is volatile as well
-- base: shop
-- proves: rewrite public.orders

ALTER TABLE public.orders
  ADD COLUMN imported_at timestamptz
    DEFAULT CASE WHEN true THEN clock_timestamp() ELSE now() END;
