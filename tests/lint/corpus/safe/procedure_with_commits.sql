-- truth: safe: small batches, each in a transaction of its own
-- base: shop

CREATE PROCEDURE number_lines() LANGUAGE plpgsql AS $$
DECLARE
  low bigint := 0;
BEGIN
  WHILE low < 500 LOOP
    UPDATE order_lines SET quantity = 2 WHERE order_id > low AND order_id <= low + 100;
    COMMIT;
    low := low + 100;
  END LOOP;
END $$;
CALL number_lines();
DROP PROCEDURE number_lines();
