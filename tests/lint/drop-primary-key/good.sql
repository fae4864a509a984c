CREATE UNIQUE INDEX CONCURRENTLY sessions_id ON sessions (id);
ALTER TABLE sessions DROP CONSTRAINT sessions_pkey,
  ADD CONSTRAINT sessions_pkey PRIMARY KEY USING INDEX sessions_id;
