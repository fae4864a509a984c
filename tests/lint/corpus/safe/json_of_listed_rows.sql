-- truth: safe: rows that are named
-- base: warehouse

UPDATE app.tenants SET plan = 'legacy' WHERE id IN ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12');
UPDATE app.tenants SET settings = jsonb_set(settings, '{theme}', '"dark"') WHERE id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
