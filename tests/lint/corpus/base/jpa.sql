create sequence hibernate_sequence start 1 increment 1;
create table account (id int8 not null, created_at timestamp(6), email varchar(255), status varchar(255) check (status in ('ACTIVE','CLOSED')), version int4 not null, primary key (id));
create table booking (id int8 not null, amount numeric(19, 2), reference varchar(255) not null, account_id int8, starts_on date, primary key (id));
create table booking_tag (booking_id int8 not null, tag varchar(255));
alter table if exists account add constraint UK_q0uja26qgu1atulenwup9rxyr unique (email);
alter table if exists booking add constraint FK7hunottedmjhtdcvhv4sx6x4a foreign key (account_id) references account;
