-- truth: safe: text and varchar are the same without a length
-- base: shop

ALTER TABLE customers ALTER nickname SET DATA TYPE character varying;
