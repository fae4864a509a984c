ALTER TABLE ${schema}.t OWNER TO {{ role }}; -- pgalter:ignore set-not-null reason="x"
/* outer /* inner */ */ CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
