-- truth: risky: the volatile function is made two lines above
-- base: shop
-- at: ADD COLUMN public_id
-- proves: rewrite public.orders

CREATE OR REPLACE FUNCTION make_public_id() RETURNS text AS $$
BEGIN
  RETURN encode(sha256(random()::text::bytea), 'hex');
END;
$$ LANGUAGE plpgsql;

ALTER TABLE orders ADD COLUMN public_id text DEFAULT make_public_id();
