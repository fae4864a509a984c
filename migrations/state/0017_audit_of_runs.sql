-- The log tells of runs, too, whoever makes and ends them, and of partitions that are held, go, or come back. It is written
-- by triggers in the transaction of the deed, so that nobody who may write these tables has to be asked to.

-- The run whose session this is, by its application_name; NULL: it is none of a run.
CREATE FUNCTION pgalter.run_of_session() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT substring(current_setting('application_name') FROM '^pgalter/([0-9a-f-]{36})')
$$;

-- What a failure or a pause leaves can be gone on with, so neither is an entry: the run's end is.
CREATE FUNCTION pgalter.log_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  about jsonb := jsonb_build_object('run', NEW.run, 'table', NEW.target, 'command', COALESCE(NEW.spec->>'asked', NEW.command),
    'partitions', COALESCE(NEW.spec->'asked_partitions', NEW.spec->'merged'));
  done_rows bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM pgalter.audit('run.begun', NEW.run::text, jsonb_strip_nulls(about)::text);
    RETURN NULL;
  END IF;
  IF NEW.state IN ('done', 'aborted', 'reverted') AND NEW.state <> OLD.state THEN
    SELECT sum((s.spec->>'done_rows')::bigint) INTO done_rows FROM pgalter.step s WHERE s.run = NEW.run;
    done_rows := NULLIF(COALESCE(done_rows, NEW.done_rows), 0);
    PERFORM pgalter.audit('run.' || NEW.state, NEW.run::text,
      jsonb_strip_nulls(about || jsonb_build_object('rows', done_rows))::text);
  ELSIF OLD.state = 'done' AND NEW.state = 'running' THEN
    PERFORM pgalter.audit('run.reverting', NEW.run::text, jsonb_strip_nulls(about)::text);
  END IF;
  IF NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL THEN
    PERFORM pgalter.audit('run.finished', NEW.run::text, jsonb_strip_nulls(about)::text);
  END IF;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION pgalter.log_run() FROM PUBLIC;
CREATE TRIGGER log_run_begun AFTER INSERT ON pgalter.run FOR EACH ROW EXECUTE FUNCTION pgalter.log_run();
CREATE TRIGGER log_run AFTER UPDATE OF state, finished_at ON pgalter.run FOR EACH ROW
  WHEN (NEW.state IS DISTINCT FROM OLD.state OR NEW.finished_at IS DISTINCT FROM OLD.finished_at)
  EXECUTE FUNCTION pgalter.log_run();
ALTER TABLE pgalter.run ENABLE ALWAYS TRIGGER log_run_begun, ENABLE ALWAYS TRIGGER log_run;

CREATE FUNCTION pgalter.log_released(held pgalter.legal_hold) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pgalter.audit('partition.release', held.name, jsonb_build_object('reason', held.reason, 'held_by', held.set_by,
    'held_since', to_char(held.set_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::text);
END
$$;
REVOKE ALL ON FUNCTION pgalter.log_released(pgalter.legal_hold) FROM PUBLIC;

CREATE FUNCTION pgalter.log_hold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held pgalter.legal_hold;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    FOR held IN SELECT * FROM pgalter.legal_hold LOOP
      PERFORM pgalter.log_released(held);
    END LOOP;
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM pgalter.log_released(OLD);
  ELSE
    -- Another name or reason: what held before is released. Else the table that has the rows is another one.
    IF TG_OP = 'UPDATE' AND (NEW.name, NEW.reason) IS DISTINCT FROM (OLD.name, OLD.reason) THEN
      PERFORM pgalter.log_released(OLD);
    END IF;
    PERFORM pgalter.audit('partition.hold', NEW.name, jsonb_build_object('reason', NEW.reason)::text);
  END IF;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION pgalter.log_hold() FROM PUBLIC;
CREATE TRIGGER log_hold AFTER INSERT OR UPDATE OR DELETE ON pgalter.legal_hold
  FOR EACH ROW EXECUTE FUNCTION pgalter.log_hold();
CREATE TRIGGER log_holds BEFORE TRUNCATE ON pgalter.legal_hold
  FOR EACH STATEMENT EXECUTE FUNCTION pgalter.log_hold();
ALTER TABLE pgalter.legal_hold ENABLE ALWAYS TRIGGER log_hold, ENABLE ALWAYS TRIGGER log_holds;

CREATE FUNCTION pgalter.log_retired() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone pgalter.retired := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  about jsonb := jsonb_build_object('run', pgalter.run_of_session(), 'table', gone.parent);
  file jsonb := jsonb_build_object('file', gone.file, 'sha256', gone.sha256, 'rows', gone.rows);
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF gone.detached_at IS NOT NULL AND gone.dropped_at IS NULL THEN
      PERFORM pgalter.audit('partition.attached', gone.name, jsonb_strip_nulls(about)::text);
    END IF;
    RETURN NULL;
  END IF;
  IF NEW.detached_at IS NOT NULL AND OLD.detached_at IS NULL THEN
    PERFORM pgalter.audit('partition.detached', NEW.name, jsonb_strip_nulls(about)::text);
  END IF;
  IF NEW.exported_at IS NOT NULL AND NEW.exported_at IS DISTINCT FROM OLD.exported_at THEN
    PERFORM pgalter.audit('partition.exported', NEW.name, jsonb_strip_nulls(about || file)::text);
  END IF;
  IF NEW.dropped_at IS NOT NULL AND OLD.dropped_at IS NULL THEN
    PERFORM pgalter.audit('partition.dropped', NEW.name, jsonb_strip_nulls(about || file)::text);
  END IF;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION pgalter.log_retired() FROM PUBLIC;
CREATE TRIGGER log_retired AFTER UPDATE OR DELETE ON pgalter.retired
  FOR EACH ROW EXECUTE FUNCTION pgalter.log_retired();
ALTER TABLE pgalter.retired ENABLE ALWAYS TRIGGER log_retired;
