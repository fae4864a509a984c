-- truth: safe: varchar to text only changes the catalog, and the plain index stays
-- base: jpa

-- history
CREATE INDEX booking_tag_tag_idx ON booking_tag (tag);

-- migration
ALTER TABLE booking_tag ALTER COLUMN tag TYPE varchar(400) USING tag::varchar(400);
ALTER TABLE booking_tag ALTER COLUMN tag TYPE text;
