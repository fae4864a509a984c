-- truth: safe: what the procedure will do is not done now
-- base: shop

CREATE OR REPLACE PROCEDURE purge_sessions(days integer) LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM sessions WHERE expires_at < now() - make_interval(days => days);
  TRUNCATE order_lines;
  COMMIT;
END $$;
REVOKE EXECUTE ON PROCEDURE purge_sessions(integer) FROM PUBLIC;
