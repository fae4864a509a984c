-- proves: breaks INSERT INTO sessions VALUES (1, 'x') ON CONFLICT (id) DO NOTHING
ALTER TABLE sessions DROP CONSTRAINT sessions_pkey;
