-- truth: risky: readers wait as well: the planner opens every index
-- base: shop
-- proves: scan public.orders

REINDEX TABLE orders;
