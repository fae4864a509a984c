-- truth: safe: catalogue entries only
-- base: jpa
-- sending: transaction

alter table if exists booking alter column reference type varchar(500);
alter table booking alter column amount set default 0;
alter table booking alter column reference set storage extended;
alter table booking add column note varchar(255) default '' not null;
