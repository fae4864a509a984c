-- truth: risky: every text column of the schema becomes varchar(100), one rewrite each
-- base: shop
-- proves: rewrite public.order_lines

DO $$
DECLARE
  target record;
BEGIN
  FOR target IN
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = 'order_lines' AND column_name = 'memo'
  LOOP
    EXECUTE 'ALTER TABLE ' || quote_ident(target.table_name) || ' ALTER COLUMN '
      || quote_ident(target.column_name) || ' TYPE varchar(20) USING left('
      || quote_ident(target.column_name) || ', 20)';
  END LOOP;
END $$;
