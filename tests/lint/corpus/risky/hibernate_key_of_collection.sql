-- truth: risky: a key is built for a table with rows
-- base: jpa
-- proves: scan public.booking_tag

alter table if exists booking_tag add primary key (booking_id, tag);
