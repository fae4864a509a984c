-- truth: risky: SQL functions whose bodies call one another
-- base: shop
-- at: ADD COLUMN lucky
-- proves: fails 54001

SET check_function_bodies = off;
CREATE FUNCTION lucky_a() RETURNS integer LANGUAGE sql AS $$ SELECT lucky_b() $$;
CREATE FUNCTION lucky_b() RETURNS integer LANGUAGE sql AS $$ SELECT lucky_a() $$;
ALTER TABLE orders ADD COLUMN lucky integer DEFAULT lucky_a();
