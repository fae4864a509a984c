CREATE UNIQUE INDEX CONCURRENTLY shelves_label ON shelves (label);
ALTER TABLE shelves DROP CONSTRAINT shelves_label_key,
  ADD CONSTRAINT shelves_label_key UNIQUE USING INDEX shelves_label;
