-- truth: safe: rights of one role
-- base: shop

GRANT SELECT, INSERT ON orders TO corpus_app;
GRANT USAGE ON SEQUENCE orders_id_seq TO corpus_app;
