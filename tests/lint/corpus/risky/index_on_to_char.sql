-- truth: risky: to_char() is not immutable
-- base: shop
-- proves: fails 42P17

CREATE INDEX CONCURRENTLY customers_unaccent_idx ON customers (to_char(created_at, 'YYYY-MM'));
