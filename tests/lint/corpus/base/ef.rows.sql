INSERT INTO "Customers" ("Name", "CreatedAt") SELECT 'n', now() FROM generate_series(1, 2000) n;
INSERT INTO "Invoices" ("Id", "CustomerId", "Total", "DueAt")
  SELECT gen_random_uuid(), n, 1, now() FROM generate_series(1, 2000) n;
-- client: INSERT INTO "Customers" ("Name", "CreatedAt") VALUES ('n', now())
