-- truth: safe: added, and used by nobody here
-- base: shop

ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'refunded' AFTER 'shipped';
