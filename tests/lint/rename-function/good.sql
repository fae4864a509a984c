CREATE FUNCTION following() RETURNS integer LANGUAGE sql AS 'SELECT next_number()';
