-- truth: risky: there is no value to put it behind
-- base: shop
-- proves: fails 22023

ALTER TYPE order_status ADD VALUE 'returned' AFTER 'delivered';
