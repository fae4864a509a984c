CREATE TABLE a ();
INSERT INTO "schema_migrations" (version) VALUES ('20240101');
