-- It is there already.
ALTER TABLE archive SET TABLESPACE pg_default;
