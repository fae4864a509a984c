-- truth: safe: wider in the catalog alone
-- base: jpa

alter table if exists booking alter column amount set data type numeric(22,2);
alter table if exists booking alter column reference set data type varchar(512);
alter table if exists account alter column created_at set data type timestamp;
