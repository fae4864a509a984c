-- proves: rewrite archive
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE elsewhere LOCATION '';
ALTER TABLE archive SET TABLESPACE elsewhere;
