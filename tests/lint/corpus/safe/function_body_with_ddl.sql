-- truth: safe: a body is not run when the function is made
-- base: shop

CREATE OR REPLACE PROCEDURE purge() LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM sessions;
  TRUNCATE order_lines;
  EXECUTE 'DROP TABLE payments';
END $$;
