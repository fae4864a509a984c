-- What must hold before a migration is begun or taken back here, who has agreed to it, and what was
-- shown for it. The policy is asked by a trigger, in the transaction that begins: a client that does
-- not ask is refused all the same, unless its role owns these tables.

CREATE TABLE pgalter.policy (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  settings jsonb NOT NULL,
  set_by text NOT NULL DEFAULT session_user,
  set_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE pgalter.request (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version text NOT NULL,
  direction text NOT NULL CHECK (direction IN ('up', 'down')),
  file text NOT NULL,
  text_sha256 text NOT NULL,
  plan_sha256 text NOT NULL, -- what is agreed to
  plan text NOT NULL,        -- for people
  author text NOT NULL,      -- of the header; may be empty
  reason text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'rejected', 'replaced', 'used')),
  run uuid,                  -- that used it
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX ON pgalter.request (version, direction) WHERE state = 'open';

CREATE TABLE pgalter.approval (
  request bigint NOT NULL REFERENCES pgalter.request,
  meaning text NOT NULL,
  reason text NOT NULL,
  printed_name text NOT NULL,
  approved_by text NOT NULL,
  approved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (request, meaning)
);

CREATE TABLE pgalter.evidence (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  file text NOT NULL,
  sha256 text NOT NULL,
  note text NOT NULL,
  attested_by text NOT NULL,
  attested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Begun against the policy, by somebody who may. It is open until somebody else has looked at it.
CREATE TABLE pgalter.exemption (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version text NOT NULL,
  direction text NOT NULL,
  lacked text NOT NULL,
  reason text NOT NULL,
  used_by text NOT NULL,
  used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due timestamptz NOT NULL DEFAULT clock_timestamp() + interval '24 hours',
  reviewed_by text,
  reviewed_at timestamptz,
  review text
);

-- Rows of these tables are written by the functions below, which belong to the tables' owner.
CREATE FUNCTION pgalter.refuse_direct_write() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is written by functions alone', TG_RELID::regclass
    USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER functions_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgalter.policy
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.refuse_direct_write();
CREATE TRIGGER functions_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgalter.request
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.refuse_direct_write();
CREATE TRIGGER functions_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgalter.approval
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.refuse_direct_write();
CREATE TRIGGER functions_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgalter.evidence
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.refuse_direct_write();
CREATE TRIGGER functions_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgalter.exemption
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.refuse_direct_write();
ALTER TABLE pgalter.policy ENABLE ALWAYS TRIGGER functions_only;
ALTER TABLE pgalter.request ENABLE ALWAYS TRIGGER functions_only;
ALTER TABLE pgalter.approval ENABLE ALWAYS TRIGGER functions_only;
ALTER TABLE pgalter.evidence ENABLE ALWAYS TRIGGER functions_only;
ALTER TABLE pgalter.exemption ENABLE ALWAYS TRIGGER functions_only;

-- In truth: a superuser counts as a member of every role for pg_has_role.
CREATE FUNCTION pgalter.is_member(member text, of_role text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE held AS (
    SELECT oid FROM pg_roles WHERE rolname = member
    UNION SELECT m.roleid FROM pg_auth_members m JOIN held h ON m.member = h.oid)
  SELECT EXISTS (SELECT FROM held JOIN pg_roles r USING (oid) WHERE r.rolname = of_role)
$$;

-- Whether one of the windows is open at that moment. One that ends before it begins goes on over
-- midnight, and counts for the day on which it begins.
CREATE FUNCTION pgalter.is_open(windows jsonb, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM jsonb_array_elements(windows) w
    CROSS JOIN LATERAL (SELECT moment AT TIME ZONE (w->>'tz') AS at,
                               (w->>'from')::time AS opens, (w->>'to')::time AS closes) l
    CROSS JOIN LATERAL (SELECT CASE WHEN opens < closes OR at::time >= opens THEN at::date
                                    ELSE at::date - 1 END AS day) d
    WHERE CASE WHEN opens < closes THEN at::time >= opens AND at::time < closes
               ELSE at::time >= opens OR at::time < closes END
      AND (w->'days' IS NULL OR w->'days' ? to_char(day, 'Dy')))
$$;

-- What is lacking, one sentence each; none: it may begin.
CREATE FUNCTION pgalter.why_not(version text, direction text, plan_sha256 text, header jsonb,
                                has_down boolean) RETURNS text[]
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
  IF policy ? 'quorum' THEN
    SELECT r.* INTO open_request FROM pgalter.request r
      WHERE r.version = why_not.version AND r.direction = why_not.direction AND r.state = 'open';
    IF open_request.id IS NULL THEN
      lacking := lacking || 'nobody has asked for it (pgalter request)'::text;
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
  IF wanted IS NOT NULL THEN
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
  IF policy ? 'windows' AND NOT pgalter.is_open(policy->'windows', moment)
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

-- Settings of the transaction say what begins: pgalter.plan_sha256, pgalter.has_down; and
-- pgalter.break_glass a reason for beginning whatever is lacking.
CREATE FUNCTION pgalter.ask_policy() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  policy jsonb := (SELECT settings FROM pgalter.policy);
  way text := CASE WHEN NEW.state = 'reverting' THEN 'down' ELSE 'up' END;
  sha text := COALESCE(current_setting('pgalter.plan_sha256', true), '');
  reason text := COALESCE(current_setting('pgalter.break_glass', true), '');
  lacking text[];
  what text;
BEGIN
  IF policy IS NULL OR NEW.state = 'baseline' THEN RETURN NEW; END IF;
  lacking := pgalter.why_not(NEW.version, way, sha, NEW.header,
                             COALESCE(current_setting('pgalter.has_down', true), '') = 'yes');
  IF lacking <> '{}' THEN
    what := array_to_string(lacking, '; ');
    IF reason = '' THEN
      RAISE EXCEPTION '%', what USING ERRCODE = 'PGA04';
    ELSIF NOT policy ? 'break_glass' THEN
      RAISE EXCEPTION '%; and the policy has no break_glass', what USING ERRCODE = 'PGA04';
    ELSIF NOT pgalter.is_member(session_user, policy->>'break_glass') THEN
      RAISE EXCEPTION '%; and breaking the glass is for members of %', what, policy->>'break_glass'
        USING ERRCODE = 'PGA04';
    END IF;
    INSERT INTO pgalter.exemption (version, direction, lacked, reason, used_by)
      VALUES (NEW.version, way, what, reason, session_user);
    PERFORM pgalter.audit('policy.break-glass', NEW.version,
      json_build_object('direction', way, 'lacked', what, 'reason', reason)::text);
  END IF;
  UPDATE pgalter.request SET state = 'used', run = COALESCE(NEW.down_run, NEW.run)
    WHERE version = NEW.version AND direction = way AND state = 'open' AND plan_sha256 = sha;
  RETURN NEW;
END
$$;
CREATE TRIGGER ask_policy BEFORE INSERT ON pgalter.migration
  FOR EACH ROW EXECUTE FUNCTION pgalter.ask_policy();
CREATE TRIGGER ask_policy_down BEFORE UPDATE OF state ON pgalter.migration
  FOR EACH ROW WHEN (NEW.state = 'reverting' AND OLD.state <> 'reverting')
  EXECUTE FUNCTION pgalter.ask_policy();
ALTER TABLE pgalter.migration ENABLE ALWAYS TRIGGER ask_policy,
  ENABLE ALWAYS TRIGGER ask_policy_down;

CREATE FUNCTION pgalter.request_approval(version text, direction text, file text, text_sha256 text,
                                         plan_sha256 text, plan text, author text, reason text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made bigint;
BEGIN
  UPDATE pgalter.request r SET state = 'replaced' WHERE r.version = request_approval.version
    AND r.direction = request_approval.direction AND r.state = 'open';
  INSERT INTO pgalter.request (version, direction, file, text_sha256, plan_sha256, plan, author,
                               reason, requested_by)
    VALUES (version, direction, file, text_sha256, plan_sha256, plan, author, reason, session_user)
    RETURNING id INTO made;
  PERFORM pgalter.audit('policy.request', version, json_build_object('request', made, 'direction',
    direction, 'plan_sha256', plan_sha256, 'text_sha256', text_sha256, 'reason', reason)::text);
  RETURN made;
END
$$;

CREATE FUNCTION pgalter.approve(request bigint, plan_sha256 text, meaning text, printed_name text,
                                reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  policy jsonb := (SELECT settings FROM pgalter.policy);
  wanted pgalter.request;
  of_role text;
BEGIN
  SELECT r.* INTO wanted FROM pgalter.request r WHERE r.id = approve.request FOR UPDATE;
  IF wanted.id IS NULL THEN
    RAISE EXCEPTION 'there is no request %', request USING ERRCODE = 'PGA02';
  ELSIF wanted.state <> 'open' THEN
    RAISE EXCEPTION 'request % is %', request, wanted.state USING ERRCODE = 'PGA04';
  ELSIF wanted.plan_sha256 <> approve.plan_sha256 THEN
    RAISE EXCEPTION 'request % is for another plan than the one that was shown', request
      USING ERRCODE = 'PGA04';
  END IF;
  of_role := policy->'quorum'->>meaning;
  IF of_role IS NULL THEN
    RAISE EXCEPTION 'no approval "%" is asked for here', meaning USING ERRCODE = 'PGA02',
      HINT = COALESCE('one of: ' || (SELECT string_agg(k, ', ' ORDER BY k)
                                     FROM jsonb_object_keys(policy->'quorum') k), 'the policy asks for none');
  ELSIF NOT pgalter.is_member(session_user, of_role) THEN
    RAISE EXCEPTION 'approval "%" is for members of %, and % is none', meaning, of_role, session_user
      USING ERRCODE = 'PGA04';
  ELSIF session_user IN (wanted.requested_by, wanted.author) THEN
    RAISE EXCEPTION '% wrote or asked for it, and cannot approve it', session_user
      USING ERRCODE = 'PGA04';
  ELSIF COALESCE((policy->>'distinct')::boolean, true)
      AND EXISTS (SELECT FROM pgalter.approval a WHERE a.request = wanted.id
                  AND a.approved_by = session_user AND a.meaning <> approve.meaning) THEN
    RAISE EXCEPTION '% has approved it already, and each approval is another person''s', session_user
      USING ERRCODE = 'PGA04';
  END IF;
  INSERT INTO pgalter.approval AS a (request, meaning, reason, printed_name, approved_by)
    VALUES (wanted.id, meaning, reason, printed_name, session_user)
    ON CONFLICT ON CONSTRAINT approval_pkey DO UPDATE SET reason = excluded.reason,
      printed_name = excluded.printed_name, approved_by = excluded.approved_by,
      approved_at = clock_timestamp();
  PERFORM pgalter.audit('policy.approve', wanted.version, json_build_object('request', wanted.id,
    'meaning', meaning, 'plan_sha256', plan_sha256, 'name', printed_name, 'reason', reason)::text);
END
$$;

CREATE FUNCTION pgalter.reject(request bigint, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  policy jsonb := (SELECT settings FROM pgalter.policy);
  wanted pgalter.request;
BEGIN
  SELECT r.* INTO wanted FROM pgalter.request r WHERE r.id = reject.request FOR UPDATE;
  IF wanted.id IS NULL THEN
    RAISE EXCEPTION 'there is no request %', request USING ERRCODE = 'PGA02';
  ELSIF wanted.state <> 'open' THEN
    RAISE EXCEPTION 'request % is %', request, wanted.state USING ERRCODE = 'PGA04';
  ELSIF session_user <> wanted.requested_by
      AND NOT EXISTS (SELECT FROM jsonb_each_text(COALESCE(policy->'quorum', '{}')) q
                      WHERE pgalter.is_member(session_user, q.value)) THEN
    RAISE EXCEPTION '% may not approve it, and so not reject it', session_user
      USING ERRCODE = 'PGA04';
  END IF;
  UPDATE pgalter.request r SET state = 'rejected' WHERE r.id = wanted.id;
  PERFORM pgalter.audit('policy.reject', wanted.version,
    json_build_object('request', wanted.id, 'reason', reason)::text);
END
$$;

CREATE FUNCTION pgalter.attest(kind text, file text, sha256 text, note text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made bigint;
BEGIN
  INSERT INTO pgalter.evidence (kind, file, sha256, note, attested_by)
    VALUES (kind, file, sha256, note, session_user) RETURNING id INTO made;
  PERFORM pgalter.audit('policy.attest', kind,
    json_build_object('file', file, 'sha256', sha256, 'note', note)::text);
  RETURN made;
END
$$;

CREATE FUNCTION pgalter.review_exemption(exemption bigint, review text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  policy jsonb := (SELECT settings FROM pgalter.policy);
  used pgalter.exemption;
BEGIN
  SELECT e.* INTO used FROM pgalter.exemption e WHERE e.id = review_exemption.exemption FOR UPDATE;
  IF used.id IS NULL OR used.reviewed_at IS NOT NULL THEN
    RAISE EXCEPTION 'there is no open exemption %', exemption USING ERRCODE = 'PGA02';
  ELSIF used.used_by = session_user THEN
    RAISE EXCEPTION '% broke the glass, and cannot review it', session_user USING ERRCODE = 'PGA04';
  ELSIF NOT EXISTS (SELECT FROM jsonb_each_text(COALESCE(policy->'quorum', '{}')) q
                    WHERE pgalter.is_member(session_user, q.value)) THEN
    RAISE EXCEPTION '% may not approve, and so not review', session_user USING ERRCODE = 'PGA04';
  END IF;
  UPDATE pgalter.exemption e SET reviewed_by = session_user, reviewed_at = clock_timestamp(),
    review = review_exemption.review WHERE e.id = used.id;
  PERFORM pgalter.audit('policy.review', used.version,
    json_build_object('exemption', used.id, 'review', review)::text);
END
$$;

-- For the owner of the tables. Roles and zones that are not there are found now, not at night.
CREATE FUNCTION pgalter.set_policy(settings jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  named text;
BEGIN
  FOR named IN SELECT value FROM jsonb_each_text(COALESCE(settings->'quorum', '{}'))
    UNION SELECT settings->>'break_glass' WHERE settings ? 'break_glass'
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = named) THEN
      RAISE EXCEPTION 'there is no role "%"', named USING ERRCODE = 'PGA02';
    END IF;
  END LOOP;
  PERFORM pgalter.is_open(COALESCE(settings->'windows', '[]'), now());
  PERFORM pgalter.is_open(COALESCE(settings->'blackouts', '[]'), now());
  PERFORM value::interval FROM jsonb_each_text(COALESCE(settings->'evidence', '{}'));
  PERFORM (settings->>'expires')::interval;
  INSERT INTO pgalter.policy (settings) VALUES (set_policy.settings)
    ON CONFLICT (one) DO UPDATE SET settings = excluded.settings, set_by = session_user,
      set_at = clock_timestamp();
  PERFORM pgalter.audit('policy.set', '', set_policy.settings::text);
END
$$;

CREATE FUNCTION pgalter.drop_policy() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM pgalter.policy;
  PERFORM pgalter.audit('policy.drop', '', '{}');
END
$$;
