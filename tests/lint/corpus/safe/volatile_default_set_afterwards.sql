-- truth: safe: SET DEFAULT is for rows to come
-- base: shop

ALTER TABLE orders ADD COLUMN public_id uuid;
ALTER TABLE orders ALTER COLUMN public_id SET DEFAULT gen_random_uuid();
