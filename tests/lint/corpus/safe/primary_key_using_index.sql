-- truth: safe: the columns are NOT NULL and the index is there
-- base: shop

CREATE UNIQUE INDEX CONCURRENTLY order_lines_pkey ON order_lines (order_id, line_no);
ALTER TABLE order_lines ADD CONSTRAINT order_lines_pkey PRIMARY KEY USING INDEX order_lines_pkey;
