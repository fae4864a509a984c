-- truth: safe: ALTER INDEX takes SHARE UPDATE EXCLUSIVE
-- base: shop

ALTER INDEX orders_reference_idx RENAME TO orders_by_reference;
