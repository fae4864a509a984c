-- truth: safe: hbm2ddl for a new entity
-- base: jpa

create table receipt (id int8 not null, printed boolean not null, booking_id int8, primary key (id));
create index IDXqc3u4ls on receipt (booking_id);
alter table if exists receipt add constraint UK_receipt_booking unique (booking_id);
alter table if exists receipt add constraint FKreceiptbooking foreign key (booking_id) references booking;
