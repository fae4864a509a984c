-- Versioned migrations: what is applied here, and a log of who did what that shows tampering.

CREATE TABLE pgalter.migration (
  version text PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- the order in which they were applied
  title text NOT NULL,
  file text NOT NULL,
  format text NOT NULL,
  bytes_sha256 text NOT NULL,      -- of the file
  text_sha256 text NOT NULL,       -- with one kind of line ends, and without a byte order mark
  statements_sha256 text NOT NULL, -- of the way up without comments
  header jsonb NOT NULL DEFAULT '{}',
  has_verify boolean NOT NULL,
  state text NOT NULL
    CHECK (state IN ('applying', 'unverified', 'applied', 'reverting', 'baseline')),
  run uuid,                        -- that applied it; none: it had nothing to run
  down_run uuid,                   -- that takes it back
  applied_by text NOT NULL DEFAULT session_user,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);

-- Every row holds the hash of the one before it. The head is what a removed end is told by.
CREATE TABLE pgalter.audit_log (
  seq bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  db_user text NOT NULL,
  os_user text,
  client_addr text,
  backend_pid integer NOT NULL,
  event text NOT NULL,
  subject text NOT NULL,
  payload text NOT NULL,
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL
);
CREATE TABLE pgalter.audit_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq bigint NOT NULL,
  hash bytea NOT NULL
);
INSERT INTO pgalter.audit_head (seq, hash) VALUES (0, sha256('pgalter audit 1'));

-- With its length in front, so that no two rows are the same bytes.
CREATE FUNCTION pgalter.audit_field(value text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN value IS NULL THEN int4send(-1)
    ELSE int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8') END
$$;

CREATE FUNCTION pgalter.audit_hash(entry pgalter.audit_log) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256(entry.prev_hash || int8send(entry.seq)
    || pgalter.audit_field(to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || pgalter.audit_field(entry.db_user) || pgalter.audit_field(entry.os_user)
    || pgalter.audit_field(entry.client_addr) || int4send(entry.backend_pid)
    || pgalter.audit_field(entry.event) || pgalter.audit_field(entry.subject)
    || pgalter.audit_field(entry.payload))
$$;

-- The only writer. The head's row lock puts writers in a row; their transactions are short.
CREATE FUNCTION pgalter.audit(event text, subject text, payload text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  head pgalter.audit_head;
  entry pgalter.audit_log;
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
  RETURN entry.seq;
END
$$;
REVOKE ALL ON FUNCTION pgalter.audit(text, text, text) FROM PUBLIC;

CREATE FUNCTION pgalter.refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'pgalter.audit_log is only added to: % is refused', TG_OP
    USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pgalter.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.refuse_audit_change();
ALTER TABLE pgalter.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;

-- A migration's state follows its run's, whoever ends that: up, resume, revert or abort.
CREATE FUNCTION pgalter.settle_migration() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  settled record;
BEGIN
  IF NEW.state = 'done' THEN
    FOR settled IN
      UPDATE pgalter.migration SET ended_at = clock_timestamp(),
        state = CASE WHEN has_verify THEN 'unverified' ELSE 'applied' END
      WHERE run = NEW.run AND state = 'applying' RETURNING version
    LOOP
      PERFORM pgalter.audit('migration.applied', settled.version,
                            json_build_object('run', NEW.run)::text);
    END LOOP;
    FOR settled IN
      DELETE FROM pgalter.migration WHERE down_run = NEW.run AND state = 'reverting'
      RETURNING version
    LOOP
      PERFORM pgalter.audit('migration.down', settled.version,
                            json_build_object('run', NEW.run)::text);
      -- To take this run back would apply the migration behind the history's back.
      UPDATE pgalter.run SET finished_at = clock_timestamp() WHERE run = NEW.run
        AND NOT EXISTS (SELECT FROM pgalter.artefact a
                        WHERE a.run = NEW.run AND a.dropped_at IS NULL);
    END LOOP;
  ELSIF NEW.state IN ('aborted', 'reverted') THEN
    FOR settled IN
      DELETE FROM pgalter.migration WHERE run = NEW.run AND state <> 'baseline' RETURNING version
    LOOP
      PERFORM pgalter.audit('migration.taken-back', settled.version,
                            json_build_object('run', NEW.run)::text);
    END LOOP;
    FOR settled IN
      UPDATE pgalter.migration SET state = 'applied', down_run = NULL
      WHERE down_run = NEW.run RETURNING version
    LOOP
      PERFORM pgalter.audit('migration.down-given-up', settled.version,
                            json_build_object('run', NEW.run)::text);
    END LOOP;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER settle_migration AFTER UPDATE OF state ON pgalter.run
  FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state)
  EXECUTE FUNCTION pgalter.settle_migration();
ALTER TABLE pgalter.run ENABLE ALWAYS TRIGGER settle_migration;
