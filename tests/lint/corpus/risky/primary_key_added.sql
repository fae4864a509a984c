-- truth: risky: index build under ACCESS EXCLUSIVE
-- base: shop
-- proves: scan public.order_lines

ALTER TABLE ONLY order_lines ADD CONSTRAINT order_lines_pkey PRIMARY KEY (order_id, line_no);
