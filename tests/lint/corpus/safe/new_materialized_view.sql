-- truth: safe: made, indexed and refreshed in the same file
-- base: shop

CREATE MATERIALIZED VIEW customer_totals AS SELECT customer_id, sum(amount) AS total FROM orders GROUP BY customer_id WITH NO DATA;
CREATE UNIQUE INDEX customer_totals_idx ON customer_totals (customer_id);
REFRESH MATERIALIZED VIEW customer_totals;
