-- truth: safe: new objects
-- base: shop

CREATE FUNCTION add_text(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1 || $2 $$;
CREATE AGGREGATE join_text(text) (SFUNC = add_text, STYPE = text, INITCOND = '');
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
