-- truth: safe: any numeric fits into numeric
-- base: jpa

alter table booking alter column amount set data type numeric;
