-- truth: safe: made, not called
-- base: shop

CREATE PROCEDURE purge_sessions(INOUT removed bigint DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  LOOP
    DELETE FROM sessions WHERE token IN (SELECT token FROM sessions WHERE expires_at < now() LIMIT 1000);
    GET DIAGNOSTICS n = ROW_COUNT;
    EXIT WHEN n = 0;
    removed := removed + n;
    COMMIT;
  END LOOP;
END $$;
