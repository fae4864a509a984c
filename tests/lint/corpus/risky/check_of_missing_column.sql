-- truth: risky: the table has no such column
-- base: shop
-- proves: fails 42703

ALTER TABLE order_lines ADD CONSTRAINT order_lines_rebate_sane CHECK (rebate >= 0) NOT VALID;
