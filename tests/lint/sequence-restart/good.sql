SELECT setval('ticket', (SELECT max(id) FROM orders));
