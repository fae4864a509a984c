INSERT INTO app.tenants (name) SELECT 'tenant ' || n FROM generate_series(1, 2000) n;
INSERT INTO app.documents (tenant_id, title, body, owner_id)
  SELECT t.id, 'title', 'some words', 1 FROM app.tenants t;
INSERT INTO stats.measurements
  SELECT n, timestamptz '2023-01-02' + n * interval '6 hours', n, 1 FROM generate_series(1, 2000) n;
INSERT INTO stats.visits
  SELECT n, date '2022-01-01' + n % 900, '/' FROM generate_series(1, 3000) n;
INSERT INTO stats.measurements_2025
  SELECT n, timestamptz '2025-01-02' + n * interval '1 hour', n, 1 FROM generate_series(1, 1000) n;
INSERT INTO stats.visits_2025
  SELECT n, date '2025-01-01' + n % 300, '/' FROM generate_series(1, 1000) n;
INSERT INTO app.people SELECT n, 'p', 30 FROM generate_series(1, 1000) n;
INSERT INTO app.employees SELECT n + 1000, 'e', 30, 1 FROM generate_series(1, 1000) n;
INSERT INTO stats.sensors SELECT n, 's' FROM generate_series(1, 2000) n;
-- client: INSERT INTO app.documents (tenant_id, title) SELECT id, 'x' FROM app.tenants LIMIT 1
-- client: INSERT INTO stats.measurements VALUES (1, '2024-05-05', 1, 1)
-- client: INSERT INTO stats.visits VALUES (100000, '2024-05-05', '/x')
-- client: UPDATE app.people SET name = 'x' WHERE id = 7
