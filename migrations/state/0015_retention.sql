-- For how long a policy has runs kept, with their plans, approvals and curves. The log is only added to, in any case.
CREATE FUNCTION pgalter.keep_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kept text := (SELECT settings->>'retention' FROM pgalter.policy);
BEGIN
  IF kept IS NULL THEN RETURN OLD; END IF;
  IF TG_OP = 'DELETE' THEN
    IF COALESCE(OLD.ended_at, OLD.updated_at) <= clock_timestamp() - kept::interval THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION 'runs are kept for %', kept USING ERRCODE = 'PGA04';
END
$$;
REVOKE ALL ON FUNCTION pgalter.keep_run() FROM PUBLIC;
CREATE TRIGGER keep_run BEFORE DELETE ON pgalter.run
  FOR EACH ROW EXECUTE FUNCTION pgalter.keep_run();
CREATE TRIGGER keep_runs BEFORE TRUNCATE ON pgalter.run
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.keep_run();
ALTER TABLE pgalter.run ENABLE ALWAYS TRIGGER keep_run;
ALTER TABLE pgalter.run ENABLE ALWAYS TRIGGER keep_runs;

CREATE OR REPLACE FUNCTION pgalter.set_policy(settings jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  named text;
BEGIN
  FOR named IN SELECT value FROM jsonb_each_text(COALESCE(settings->'quorum', '{}'))
    UNION SELECT settings->>'break_glass' WHERE settings ? 'break_glass'
    UNION SELECT settings->>'routine' WHERE settings ? 'routine'
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = named) THEN
      RAISE EXCEPTION 'there is no role "%"', named USING ERRCODE = 'PGA02';
    END IF;
  END LOOP;
  PERFORM pgalter.is_open(COALESCE(settings->'windows', '[]'), now());
  PERFORM pgalter.is_open(COALESCE(settings->'blackouts', '[]'), now());
  PERFORM value::interval FROM jsonb_each_text(COALESCE(settings->'evidence', '{}'));
  PERFORM (settings->>'expires')::interval, (settings->>'windows_over')::interval,
    now() - (settings->>'retention')::interval;
  -- What was begun before there was a policy goes on.
  INSERT INTO pgalter.clearance (run, run_sha256)
    SELECT r.run, pgalter.run_sum(r.run) FROM pgalter.run r
    WHERE NOT EXISTS (SELECT FROM pgalter.policy) AND r.state NOT IN ('done', 'aborted', 'reverted')
    ON CONFLICT DO NOTHING;
  INSERT INTO pgalter.policy (settings) VALUES (set_policy.settings)
    ON CONFLICT (one) DO UPDATE SET settings = excluded.settings, set_by = session_user,
      set_at = clock_timestamp();
  PERFORM pgalter.audit('policy.set', '', set_policy.settings::text);
END
$$;
