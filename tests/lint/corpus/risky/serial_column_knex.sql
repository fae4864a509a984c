-- truth: risky: a serial column rewrites the table
-- base: shop
-- proves: rewrite public.order_lines

alter table "order_lines" add column "seq" serial;
