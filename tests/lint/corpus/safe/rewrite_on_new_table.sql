-- truth: safe: the table is as new as its columns
-- base: shop

CREATE TABLE coupons (code text PRIMARY KEY);
ALTER TABLE coupons ADD COLUMN id bigserial;
ALTER TABLE coupons ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE coupons ALTER COLUMN code TYPE varchar(20);
ALTER TABLE coupons ADD CONSTRAINT coupons_code_check CHECK (code <> '');
ALTER TABLE coupons ADD COLUMN value integer NOT NULL;
CREATE INDEX coupons_value_idx ON coupons (value);
ALTER TABLE coupons ALTER COLUMN value SET NOT NULL;
