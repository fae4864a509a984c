-- truth: safe: knex writes lower case and quotes
-- base: shop

create table "wishlists" ("id" serial primary key, "customer_id" bigint not null, "created_at" timestamptz not null default CURRENT_TIMESTAMP);
alter table "wishlists" add constraint "wishlists_customer_id_unique" unique ("customer_id");
alter table "wishlists" add constraint "wishlists_customer_id_foreign" foreign key ("customer_id") references "customers" ("id") on delete CASCADE;
create index "wishlists_created_at_index" on "wishlists" ("created_at");
