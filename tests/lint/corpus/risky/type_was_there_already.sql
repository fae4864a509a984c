-- truth: risky: there is a type of that name
-- base: shop
-- proves: fails 42710

CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'returned');
