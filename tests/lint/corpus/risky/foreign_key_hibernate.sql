-- truth: risky: hbm2ddl's alter table if exists
-- base: jpa
-- proves: scan public.booking_tag

alter table if exists booking_tag add constraint FKhjq0n2p7xuc4lqnfmcsr6q9 foreign key (booking_id) references booking;
