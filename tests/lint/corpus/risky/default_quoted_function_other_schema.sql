-- truth: risky: a volatile function with a quoted name in another schema
-- base: warehouse
-- at: ADD COLUMN short_id
-- proves: rewrite app.documents

CREATE FUNCTION app."ShortId"() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT left(md5(random()::text), 8) $$;
ALTER TABLE app.documents ADD COLUMN short_id text DEFAULT app."ShortId"();
