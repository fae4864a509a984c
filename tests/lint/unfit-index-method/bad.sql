-- proves: nothing
CREATE TABLE pages (id bigint PRIMARY KEY, tags text[]);
CREATE INDEX pages_tags ON pages (tags);
