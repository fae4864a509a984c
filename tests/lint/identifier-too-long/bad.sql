-- proves: leaves SELECT EXISTS (SELECT FROM pg_class WHERE relname LIKE 'orders_amount_for%' AND length(relname) = 63)
CREATE INDEX CONCURRENTLY
  orders_amount_for_the_overview_page_of_the_shop_and_its_many_branches
  ON orders (amount);
