-- truth: risky: the wider check is proved on every row
-- base: jpa
-- at: add constraint
-- proves: scan public.account

alter table if exists account drop constraint if exists account_status_check;
alter table if exists account add constraint account_status_check check (status in ('ACTIVE','CLOSED','FROZEN'));
