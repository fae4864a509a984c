-- truth: risky: random() deep inside
-- base: shop
-- proves: rewrite public.customers

ALTER TABLE customers ADD COLUMN referral_code varchar(12) NOT NULL
  DEFAULT upper(substr(md5((random() * 1000000)::text || clock_timestamp()::text), 1, 12));
