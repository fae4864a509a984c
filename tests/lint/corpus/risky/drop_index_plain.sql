-- truth: risky: takes ACCESS EXCLUSIVE where CONCURRENTLY would not
-- base: shop
-- proves: lock public.orders ACCESS EXCLUSIVE

DROP INDEX orders_reference_idx;
