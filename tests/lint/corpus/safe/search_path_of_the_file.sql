-- truth: safe: all of it is new, in the schema that is searched first
-- base: warehouse

SET search_path TO app, public;
CREATE TABLE labels (id bigint PRIMARY KEY, document_id bigint NOT NULL, label text NOT NULL);
CREATE INDEX labels_document_idx ON labels (document_id);
ALTER TABLE labels ADD COLUMN made_by uuid;
RESET search_path;
