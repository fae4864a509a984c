-- truth: risky: a partial index that mentions the column is built anew
-- base: shop
-- proves: scan public.order_lines

-- history
CREATE INDEX order_lines_memo_idx ON order_lines (order_id) WHERE memo IS NOT NULL;

-- migration
ALTER TABLE order_lines ALTER COLUMN memo TYPE text;
