-- truth: safe: the function of the same file is STABLE
-- base: shop

CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN 1;
END $$;
ALTER TABLE orders ADD COLUMN tenant integer DEFAULT current_tenant();
