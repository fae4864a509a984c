CREATE SCHEMA drafts;
CREATE TABLE drafts.pages (id bigint);
DROP SCHEMA drafts CASCADE;
