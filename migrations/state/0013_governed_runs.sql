-- The policy is asked of runs that are no migrations, too. What is agreed to is computed here, from the steps as they are
-- stored and carried out, and not by the client. And entries of the log go into the application's own ledger, if it has one.

-- Where in the WAL a run was made: what a recovery to a point in time stops in front of.
ALTER TABLE pgalter.run ADD made_lsn pg_lsn;
ALTER TABLE pgalter.run ALTER made_lsn SET DEFAULT pg_current_wal_insert_lsn();

ALTER TABLE pgalter.request
  ADD steps jsonb, -- that plan_sha256 is of; none in requests of an older pgalter
  DROP CONSTRAINT request_direction_check,
  ADD CONSTRAINT request_direction_check CHECK (direction IN ('up', 'down', 'run'));

-- That a run may be carried out: written when it is opened, by the functions below.
CREATE TABLE pgalter.clearance (
  run uuid PRIMARY KEY REFERENCES pgalter.run ON DELETE CASCADE,
  run_sha256 text NOT NULL, -- of all that was stored of it then
  opened_by text NOT NULL DEFAULT session_user,
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER functions_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgalter.clearance
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.refuse_direct_write();
ALTER TABLE pgalter.clearance ENABLE ALWAYS TRIGGER functions_only;

-- The steps of a run, in the form in which a request brings them.
CREATE FUNCTION pgalter.stored_steps(of_run uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(jsonb_agg(jsonb_build_object('id', id, 'phase', phase, 'kind', kind, 'sql', to_jsonb(sql),
    'undo', to_jsonb(undo), 'spec', spec) ORDER BY ordinal), '[]')
  FROM pgalter.step WHERE run = of_run
$$;

-- Of what is carried out, without what is only estimated. The text of jsonb is the same for the same value.
CREATE FUNCTION pgalter.steps_sum(steps jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT encode(sha256(convert_to('pgalter plan 2' || COALESCE(string_agg(jsonb_build_array(
    s->'phase', s->'kind', s->'sql', s->'undo', s->'spec'->'plan'->'transaction', s->'spec'->'plan'->'backfill',
    s->'spec'->'plan'->'rebuild', s->'spec'->'plan'->'split', s->'spec'->'plan'->'gate', (s->'spec') - 'plan')::text,
    '' ORDER BY n), ''), 'UTF8')), 'hex')
  FROM jsonb_array_elements(steps) WITH ORDINALITY e(s, n)
$$;

-- Of a run that is there: all of it, with the settings and the pace it was made with.
CREATE FUNCTION pgalter.run_sum(of_run uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT encode(sha256(convert_to('pgalter run 1' || jsonb_build_array(r.command, r.target, r.spec,
    pgalter.stored_steps(r.run))::text, 'UTF8')), 'hex')
  FROM pgalter.run r WHERE r.run = of_run
$$;

-- For people, out of the same steps.
CREATE FUNCTION pgalter.steps_text(steps jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(string_agg(format('-- %s %s (%s)', s->>'id', s->>'kind', s->>'phase')
    || COALESCE((SELECT string_agg(E'\n' || t.line || ';', '' ORDER BY t.n)
                 FROM jsonb_array_elements_text(s->'sql') WITH ORDINALITY t(line, n)), '')
    || COALESCE((SELECT string_agg(E'\n-- ' || k || ': ' || (s->'spec'->'plan'->>k), '')
                 FROM unnest(ARRAY['backfill', 'rebuild', 'split', 'gate']) k
                 WHERE s->'spec'->'plan'->>k IS NOT NULL), ''), E'\n' ORDER BY n), 'nothing to run')
  FROM jsonb_array_elements(steps) WITH ORDINALITY e(s, n)
$$;

-- By the plan's own estimate, at most; NULL: nobody knows.
CREATE FUNCTION pgalter.steps_take(steps jsonb) RETURNS interval
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN bool_and(s->'spec'->'plan'->'duration'->'high_s' IS NOT NULL)
    THEN make_interval(secs => sum((s->'spec'->'plan'->'duration'->>'high_s')::float8)) END
  FROM jsonb_array_elements(steps) e(s) WHERE s->>'kind' <> 'gate'
$$;

DROP FUNCTION pgalter.why_not(text, text, text, jsonb, boolean);
CREATE FUNCTION pgalter.why_not(version text, direction text, plan_sha256 text, header jsonb,
                                has_down boolean, takes interval) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  policy jsonb := (SELECT settings FROM pgalter.policy);
  open_request pgalter.request;
  moment timestamptz := clock_timestamp();
  next_open timestamptz;
  lacking text[] := '{}';
  wanted text;
  limit_of interval;
  newest timestamptz;
BEGIN
  IF policy IS NULL THEN RETURN lacking; END IF;
  IF policy ? 'quorum' AND NOT (direction = 'run' AND policy ? 'routine'
                                AND pgalter.is_member(session_user, policy->>'routine')) THEN
    SELECT r.* INTO open_request FROM pgalter.request r
      WHERE r.version = why_not.version AND r.direction = why_not.direction AND r.state = 'open';
    IF open_request.id IS NULL THEN
      lacking := lacking || CASE WHEN direction = 'run'
        THEN format('nobody has asked for it (pgalter request %s)', why_not.version)
        ELSE 'nobody has asked for it (pgalter request)' END;
    ELSIF open_request.plan_sha256 <> why_not.plan_sha256 THEN
      lacking := lacking || format('request %s is for another plan: the file, the table or pgalter changed since',
                                   open_request.id);
    ELSE
      SELECT string_agg(q.key, ', ' ORDER BY q.key) INTO wanted
        FROM jsonb_each_text(policy->'quorum') q
        WHERE NOT EXISTS (SELECT FROM pgalter.approval a WHERE a.request = open_request.id
          AND a.meaning = q.key
          AND a.approved_at > moment - COALESCE((policy->>'expires')::interval, interval '100 years'));
      IF wanted IS NOT NULL THEN
        lacking := lacking || format('request %s lacks approvals: %s', open_request.id, wanted);
      END IF;
    END IF;
  END IF;
  SELECT string_agg(k, ', ') INTO wanted
    FROM jsonb_array_elements_text(COALESCE(policy->'headers', '[]')) k
    WHERE COALESCE(header->>k, '') = '';
  IF wanted IS NOT NULL AND direction <> 'run' THEN
    lacking := lacking || format('its header lacks: %s', wanted);
  END IF;
  IF direction = 'up' AND (policy->>'require_down')::boolean AND NOT has_down
     AND COALESCE(header->>'irreversible', '') = '' THEN
    lacking := lacking || 'it has no way down, and no "irreversible: reason" in its header'::text;
  END IF;
  FOR wanted, limit_of IN
    SELECT key, value::interval FROM jsonb_each_text(COALESCE(policy->'evidence', '{}'))
  LOOP
    SELECT max(attested_at) INTO newest FROM pgalter.evidence WHERE kind = wanted;
    IF newest IS NULL THEN
      lacking := lacking || format('there is no evidence of kind %s (pgalter attest)', wanted);
    ELSIF newest < moment - limit_of THEN
      lacking := lacking || format('the evidence of kind %s is of %s UTC, older than %s', wanted,
        to_char(newest AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), limit_of);
    END IF;
  END LOOP;
  -- Only windows are for what takes long; a blackout is for everything.
  IF policy ? 'windows' AND NOT pgalter.is_open(policy->'windows', moment)
     AND COALESCE(takes > (policy->>'windows_over')::interval, true)
     OR policy ? 'blackouts' AND pgalter.is_open(policy->'blackouts', moment) THEN
    SELECT min(m) INTO next_open
      FROM generate_series(date_trunc('minute', moment), moment + interval '15 days', '1 minute') m
      WHERE m > moment AND (NOT policy ? 'windows' OR pgalter.is_open(policy->'windows', m))
        AND NOT (policy ? 'blackouts' AND pgalter.is_open(policy->'blackouts', m));
    lacking := lacking || CASE WHEN next_open IS NULL
      THEN 'no window is open, and none opens in the next 15 days'
      ELSE format('no window is open, the next opens at %s UTC',
                  to_char(next_open AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) END;
  END IF;
  IF (policy->>'require_tls')::boolean
     AND NOT COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) THEN
    lacking := lacking || 'this connection is not encrypted'::text;
  END IF;
  RETURN lacking;
END
$$;

-- Raises what is lacking, or writes down that it was begun all the same.
CREATE FUNCTION pgalter.let_begin(subject text, way text, lacking text[], reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  policy jsonb := (SELECT settings FROM pgalter.policy);
  what text := array_to_string(lacking, '; ');
BEGIN
  IF lacking = '{}' THEN RETURN; END IF;
  IF reason = '' THEN
    RAISE EXCEPTION '%', what USING ERRCODE = 'PGA04';
  ELSIF NOT policy ? 'break_glass' THEN
    RAISE EXCEPTION '%; and the policy has no break_glass', what USING ERRCODE = 'PGA04';
  ELSIF NOT pgalter.is_member(session_user, policy->>'break_glass') THEN
    RAISE EXCEPTION '%; and breaking the glass is for members of %', what, policy->>'break_glass'
      USING ERRCODE = 'PGA04';
  END IF;
  INSERT INTO pgalter.exemption (version, direction, lacked, reason, used_by)
    VALUES (subject, way, what, reason, session_user);
  PERFORM pgalter.audit('policy.break-glass', subject,
    json_build_object('direction', way, 'lacked', what, 'reason', reason)::text);
END
$$;
REVOKE ALL ON FUNCTION pgalter.let_begin(text, text, text[], text) FROM PUBLIC;

-- Settings of the transaction say what the steps do not: pgalter.has_down; and pgalter.break_glass, a reason for
-- beginning whatever is lacking.
CREATE OR REPLACE FUNCTION pgalter.ask_policy() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  way text := CASE WHEN NEW.state = 'reverting' THEN 'down' ELSE 'up' END;
  of_run uuid := CASE WHEN NEW.state = 'reverting' THEN NEW.down_run ELSE NEW.run END;
  steps jsonb := pgalter.stored_steps(of_run);
  sha text := pgalter.steps_sum(steps);
BEGIN
  IF NEW.state = 'baseline' OR NOT EXISTS (SELECT FROM pgalter.policy) THEN RETURN NEW; END IF;
  PERFORM pgalter.let_begin(NEW.version, way,
    pgalter.why_not(NEW.version, way, sha, NEW.header,
                    COALESCE(current_setting('pgalter.has_down', true), '') = 'yes', pgalter.steps_take(steps)),
    COALESCE(current_setting('pgalter.break_glass', true), ''));
  UPDATE pgalter.request SET state = 'used', run = of_run
    WHERE version = NEW.version AND direction = way AND state = 'open' AND plan_sha256 = sha;
  IF of_run IS NOT NULL THEN
    INSERT INTO pgalter.clearance (run, run_sha256) VALUES (of_run, pgalter.run_sum(of_run))
      ON CONFLICT DO NOTHING;
    PERFORM pgalter.audit('run.opened', of_run::text, json_build_object('migration', NEW.version,
      'direction', way, 'plan_sha256', sha, 'run_sha256', pgalter.run_sum(of_run))::text);
  END IF;
  RETURN NEW;
END
$$;

-- Asked before a run is worked on for the first time. True: it was opened now.
CREATE FUNCTION pgalter.open_run(of_run uuid, break_glass text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  opening pgalter.run;
  steps jsonb := pgalter.stored_steps(of_run);
  sha text;
BEGIN
  SELECT * INTO opening FROM pgalter.run WHERE run = of_run FOR UPDATE;
  IF NOT FOUND OR NOT EXISTS (SELECT FROM pgalter.policy)
     OR EXISTS (SELECT FROM pgalter.clearance WHERE run = of_run) THEN
    RETURN false;
  END IF;
  sha := pgalter.run_sum(of_run);
  PERFORM pgalter.let_begin(of_run::text, 'run',
    pgalter.why_not(of_run::text, 'run', sha, '{}', true, pgalter.steps_take(steps)), break_glass);
  UPDATE pgalter.request SET state = 'used', run = of_run
    WHERE version = of_run::text AND direction = 'run' AND state = 'open' AND plan_sha256 = sha;
  INSERT INTO pgalter.clearance (run, run_sha256) VALUES (of_run, sha);
  PERFORM pgalter.audit('run.opened', of_run::text, json_build_object('command', opening.command,
    'target', opening.target, 'run_sha256', sha)::text);
  RETURN true;
END
$$;

-- A step of a run that was not opened does not begin, whoever asks; and what was opened stays as it was. The engine
-- itself only settles the spec of a step, which is written down.
CREATE FUNCTION pgalter.guard_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  of_run uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.run ELSE NEW.run END;
  opened boolean;
BEGIN
  IF NOT EXISTS (SELECT FROM pgalter.policy) THEN
    RETURN COALESCE(NEW, OLD);
  END IF;
  opened := EXISTS (SELECT FROM pgalter.clearance WHERE run = of_run);
  IF TG_OP = 'UPDATE' AND NOT opened AND NEW.state IN ('running', 'done') AND NEW.state <> OLD.state THEN
    RAISE EXCEPTION 'run % was not opened under the policy of this database', of_run USING ERRCODE = 'PGA04';
  ELSIF NOT opened THEN
    RETURN COALESCE(NEW, OLD);
  ELSIF TG_OP <> 'UPDATE' AND EXISTS (SELECT FROM pgalter.run WHERE run = of_run)
     OR TG_OP = 'UPDATE' AND (OLD.run, OLD.ordinal, OLD.id, OLD.kind, OLD.phase, OLD.sql, OLD.undo)
        IS DISTINCT FROM (NEW.run, NEW.ordinal, NEW.id, NEW.kind, NEW.phase, NEW.sql, NEW.undo) THEN
    RAISE EXCEPTION 'run % was opened with other steps: % is refused', of_run, TG_OP
      USING ERRCODE = 'insufficient_privilege';
  ELSIF TG_OP = 'UPDATE' AND OLD.spec IS DISTINCT FROM NEW.spec THEN
    PERFORM pgalter.audit('run.step-settled', of_run::text, json_build_object('step', NEW.id, 'spec_sha256',
      encode(sha256(convert_to(NEW.spec::text, 'UTF8')), 'hex'))::text);
  END IF;
  RETURN COALESCE(NEW, OLD);
END
$$;
CREATE TRIGGER guard_step BEFORE INSERT OR UPDATE OR DELETE ON pgalter.step
  FOR EACH ROW EXECUTE FUNCTION pgalter.guard_step();
ALTER TABLE pgalter.step ENABLE ALWAYS TRIGGER guard_step;

CREATE FUNCTION pgalter.guard_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (OLD.run, OLD.command, OLD.target, OLD.relid, OLD.spec)
       IS DISTINCT FROM (NEW.run, NEW.command, NEW.target, NEW.relid, NEW.spec)
     AND EXISTS (SELECT FROM pgalter.clearance WHERE run = OLD.run) THEN
    RAISE EXCEPTION 'run % was opened as it is: to change it is refused', OLD.run
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER guard_run BEFORE UPDATE OF run, command, target, relid, spec ON pgalter.run
  FOR EACH ROW EXECUTE FUNCTION pgalter.guard_run();
ALTER TABLE pgalter.run ENABLE ALWAYS TRIGGER guard_run;

DROP FUNCTION pgalter.request_approval(text, text, text, text, text, text, text, text);
CREATE FUNCTION pgalter.request_approval(version text, direction text, file text, text_sha256 text,
                                         steps jsonb, author text, reason text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made bigint;
  sha text := pgalter.steps_sum(steps);
BEGIN
  IF direction NOT IN ('up', 'down') THEN
    RAISE EXCEPTION 'a migration goes up or down, not %', direction USING ERRCODE = 'PGA02';
  END IF;
  UPDATE pgalter.request r SET state = 'replaced' WHERE r.version = request_approval.version
    AND r.direction = request_approval.direction AND r.state = 'open';
  INSERT INTO pgalter.request (version, direction, file, text_sha256, plan_sha256, plan, steps, author,
                               reason, requested_by)
    VALUES (version, direction, file, text_sha256, sha, pgalter.steps_text(steps), steps, author, reason,
            session_user)
    RETURNING id INTO made;
  PERFORM pgalter.audit('policy.request', version, json_build_object('request', made, 'direction',
    direction, 'plan_sha256', sha, 'text_sha256', text_sha256, 'reason', reason)::text);
  RETURN made;
END
$$;

-- For a run that is there and was not opened: its own rows are what is agreed to.
CREATE FUNCTION pgalter.request_run(of_run uuid, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted pgalter.run;
  steps jsonb := pgalter.stored_steps(of_run);
  made bigint;
BEGIN
  SELECT * INTO wanted FROM pgalter.run WHERE run = of_run;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no run %', of_run USING ERRCODE = 'PGA02';
  ELSIF EXISTS (SELECT FROM pgalter.clearance WHERE run = of_run) THEN
    RAISE EXCEPTION 'run % was opened already', of_run USING ERRCODE = 'PGA04';
  END IF;
  UPDATE pgalter.request SET state = 'replaced'
    WHERE version = of_run::text AND direction = 'run' AND state = 'open';
  INSERT INTO pgalter.request (version, direction, file, text_sha256, plan_sha256, plan, steps, author,
                               reason, requested_by)
    VALUES (of_run::text, 'run', wanted.command || ' ' || wanted.target, '', pgalter.run_sum(of_run),
      format(E'-- %s %s\n%s\n%s', wanted.command, wanted.target, jsonb_pretty(wanted.spec),
             pgalter.steps_text(steps)), steps, wanted.created_by, reason, session_user)
    RETURNING id INTO made;
  PERFORM pgalter.audit('policy.request', of_run::text, json_build_object('request', made, 'direction',
    'run', 'run_sha256', pgalter.run_sum(of_run), 'reason', reason)::text);
  RETURN made;
END
$$;

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
  PERFORM (settings->>'expires')::interval, (settings->>'windows_over')::interval;
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

INSERT INTO pgalter.clearance (run, run_sha256)
  SELECT r.run, pgalter.run_sum(r.run) FROM pgalter.run r
  WHERE EXISTS (SELECT FROM pgalter.policy) AND r.state NOT IN ('done', 'aborted', 'reverted');

-- Where the entries go besides: one statement of the application's, with $1 to $10 as audit_sink_write() has them.
CREATE TABLE pgalter.audit_sink (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  statement text NOT NULL,
  on_failure text NOT NULL CHECK (on_failure IN ('refuse', 'note')),
  set_by text NOT NULL DEFAULT session_user,
  set_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER functions_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgalter.audit_sink
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.refuse_direct_write();
ALTER TABLE pgalter.audit_sink ENABLE ALWAYS TRIGGER functions_only;

-- Writers of the log stand in a row, so none waits for a lock of the application's for long.
CREATE FUNCTION pgalter.audit_sink_write(statement text, entry pgalter.audit_log) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
  EXECUTE statement USING entry.seq, entry.at, entry.db_user, entry.os_user, entry.client_addr,
    entry.backend_pid, entry.event, entry.subject, entry.payload, entry.hash;
END
$$;
REVOKE ALL ON FUNCTION pgalter.audit_sink_write(text, pgalter.audit_log) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pgalter.audit(event text, subject text, payload text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  head pgalter.audit_head;
  entry pgalter.audit_log;
  sink pgalter.audit_sink;
BEGIN
  SELECT * INTO STRICT head FROM pgalter.audit_head FOR UPDATE;
  entry.seq := head.seq + 1;
  entry.at := clock_timestamp();
  entry.db_user := session_user;
  entry.os_user := NULLIF(current_setting('pgalter.os_user', true), '');
  entry.client_addr := host(inet_client_addr());
  entry.backend_pid := pg_backend_pid();
  entry.event := event;
  entry.subject := subject;
  entry.payload := payload;
  entry.prev_hash := head.hash;
  entry.hash := pgalter.audit_hash(entry);
  INSERT INTO pgalter.audit_log SELECT entry.*;
  UPDATE pgalter.audit_head SET seq = entry.seq, hash = entry.hash;
  SELECT * INTO sink FROM pgalter.audit_sink;
  IF sink.statement IS NULL OR entry.event = 'audit.sink-failed' THEN RETURN entry.seq; END IF;
  IF sink.on_failure = 'refuse' THEN
    PERFORM pgalter.audit_sink_write(sink.statement, entry);
    RETURN entry.seq;
  END IF;
  BEGIN
    PERFORM pgalter.audit_sink_write(sink.statement, entry);
  EXCEPTION WHEN OTHERS THEN
    PERFORM pgalter.audit('audit.sink-failed', entry.seq::text, json_build_object('sqlstate', SQLSTATE)::text);
  END;
  RETURN entry.seq;
END
$$;

-- For the owner of the tables. The entry that tells of it is the first one that goes there, whatever on_failure says.
CREATE FUNCTION pgalter.set_audit_sink(statement text, on_failure text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO pgalter.audit_sink (statement, on_failure) VALUES (set_audit_sink.statement, 'refuse')
    ON CONFLICT (one) DO UPDATE SET statement = excluded.statement, on_failure = 'refuse',
      set_by = session_user, set_at = clock_timestamp();
  PERFORM pgalter.audit('audit.sink-set', '', json_build_object('statement', set_audit_sink.statement,
    'on_failure', set_audit_sink.on_failure)::text);
  UPDATE pgalter.audit_sink SET on_failure = set_audit_sink.on_failure;
END
$$;

CREATE FUNCTION pgalter.drop_audit_sink() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM pgalter.audit_sink;
  PERFORM pgalter.audit('audit.sink-drop', '', '{}');
END
$$;
