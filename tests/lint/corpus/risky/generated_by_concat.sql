-- truth: risky: concat() is not immutable
-- base: shop
-- proves: fails 42P17

ALTER TABLE customers
  ADD COLUMN display_name text GENERATED ALWAYS AS (concat(full_name, ' (', nickname, ')')) STORED;
