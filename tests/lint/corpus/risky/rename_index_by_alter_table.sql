-- truth: risky: ALTER TABLE on an index blocks all readers of its table; ALTER INDEX would not
-- base: shop
-- proves: lock public.orders_reference_idx ACCESS EXCLUSIVE

ALTER TABLE orders_reference_idx RENAME TO orders_by_reference;
