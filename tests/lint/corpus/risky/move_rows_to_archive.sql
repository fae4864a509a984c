-- truth: risky: one statement moves everything
-- base: shop
-- at: WITH moved
-- proves: changes public.payments

CREATE TABLE payments_archive (LIKE payments);
WITH moved AS (
  DELETE FROM payments RETURNING *
)
INSERT INTO payments_archive SELECT * FROM moved;
