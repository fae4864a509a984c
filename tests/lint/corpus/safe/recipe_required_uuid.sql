-- truth: safe: the long way to a required column with a volatile default
-- base: shop

ALTER TABLE orders ADD COLUMN public_id uuid;
ALTER TABLE orders ALTER COLUMN public_id SET DEFAULT gen_random_uuid();
UPDATE orders SET public_id = gen_random_uuid() WHERE id BETWEEN 1 AND 700 AND public_id IS NULL;
UPDATE orders SET public_id = gen_random_uuid() WHERE id BETWEEN 701 AND 1400 AND public_id IS NULL;
UPDATE orders SET public_id = gen_random_uuid() WHERE id BETWEEN 1401 AND 2000 AND public_id IS NULL;
ALTER TABLE orders ADD CONSTRAINT orders_public_id_nn CHECK (public_id IS NOT NULL) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_public_id_nn;
ALTER TABLE orders ALTER COLUMN public_id SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_public_id_nn;
