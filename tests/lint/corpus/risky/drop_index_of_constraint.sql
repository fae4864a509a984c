-- truth: risky: the constraint needs the index: fails
-- base: shop
-- proves: fails 2BP01

DROP INDEX CONCURRENTLY products_sku_key;
