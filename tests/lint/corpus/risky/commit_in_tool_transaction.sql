-- truth: risky: the tool's transaction is around it, so the loop cannot commit
-- base: shop
-- sending: transaction
-- proves: fails 2D000

DO $$
DECLARE
  n integer;
BEGIN
  LOOP
    UPDATE customers SET nickname = initcap(nickname)
    WHERE id IN (SELECT id FROM customers WHERE nickname <> initcap(nickname) LIMIT 500);
    GET DIAGNOSTICS n = ROW_COUNT;
    EXIT WHEN n = 0;
    COMMIT;
  END LOOP;
END $$;
-- flyway: no more statements
