-- server: 14
ANALYZE customers;
