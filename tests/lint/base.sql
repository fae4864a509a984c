-- The database in which every rule's bad.sql and good.sql stand: a shop with rows, and others at work
-- in it. The linter reads it as history, the live proof runs it.

CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN plain_number AS integer;
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE FUNCTION next_number() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE SEQUENCE ticket;

CREATE TABLE customers (
  id bigint PRIMARY KEY,
  email varchar(100) NOT NULL,
  name text,
  note text,
  code integer,
  score numeric(10, 2),
  state mood DEFAULT 'ok',
  rank positive,
  tier integer,
  seen timestamp,
  created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX customers_name ON customers (name);
CREATE INDEX customers_seen ON customers (seen);

CREATE TABLE orders (
  id bigint PRIMARY KEY,
  customer_id bigint REFERENCES customers,
  amount integer,
  status text NOT NULL DEFAULT 'new',
  placed timestamptz NOT NULL DEFAULT now(),
  payload json,
  checked integer CHECK (checked > 0)
);
CREATE INDEX orders_status ON orders (status);
CREATE INDEX orders_open ON orders (placed) WHERE status = 'new';

-- No key, no foreign key, a nullable reference.
CREATE TABLE items (order_id bigint, position integer, quantity integer, product text);
CREATE TABLE bookings (room integer, during tsrange);
CREATE UNLOGGED TABLE sessions (id bigint PRIMARY KEY, data text);
CREATE TABLE archive (id bigint PRIMARY KEY, body text);
CREATE TABLE prices (net integer, gross integer GENERATED ALWAYS AS (net * 2) STORED);
CREATE TABLE reviews (order_id bigint REFERENCES orders, customer_id bigint REFERENCES customers);
-- With a foreign key that is checked when a transaction ends.
CREATE TABLE racks (id bigint PRIMARY KEY, place text);
CREATE TABLE shelves (
  id bigint PRIMARY KEY,
  label text UNIQUE,
  rack_id bigint REFERENCES racks DEFERRABLE INITIALLY DEFERRED
);
CREATE SCHEMA shop;
CREATE TABLE shop.stock (id bigint PRIMARY KEY, pieces integer);

CREATE TABLE events (id bigint NOT NULL, at date NOT NULL, body text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 (id bigint NOT NULL, at date NOT NULL, body text);

-- With a default partition.
CREATE TABLE logs (id bigint NOT NULL, at date NOT NULL, body text) PARTITION BY RANGE (at);
CREATE TABLE logs_2025 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
CREATE TABLE logs_2026 (id bigint NOT NULL, at date NOT NULL, body text);

CREATE VIEW order_totals AS SELECT customer_id, sum(amount) AS total FROM orders GROUP BY customer_id;
CREATE VIEW customer_tiers AS SELECT id, tier FROM customers;
GRANT SELECT ON customers TO pg_monitor;
CREATE MATERIALIZED VIEW order_days AS
  SELECT placed::date AS day, count(*) AS orders FROM orders GROUP BY 1;
CREATE UNIQUE INDEX order_days_day ON order_days (day);

INSERT INTO customers (id, email, name, note, code, score, rank, seen)
  SELECT n, 'c' || n || '@example.org', 'name ' || n, 'note', n, n / 10.0, n, now()
  FROM generate_series(1, 2000) n;
INSERT INTO orders (id, customer_id, amount, payload, checked)
  SELECT n, n % 2000 + 1, n, '{}', 1 FROM generate_series(1, 2000) n;
INSERT INTO items SELECT n, 1, 1, 'p' || n FROM generate_series(1, 2000) n;
INSERT INTO bookings SELECT n, tsrange(now()::timestamp, now()::timestamp + interval '1 day')
  FROM generate_series(1, 200) n;
INSERT INTO sessions SELECT n, 'x' FROM generate_series(1, 200) n;
INSERT INTO archive SELECT n, 'x' FROM generate_series(1, 2000) n;
INSERT INTO prices SELECT n FROM generate_series(1, 200) n;
INSERT INTO racks SELECT n, 'x' FROM generate_series(1, 200) n;
INSERT INTO shelves SELECT n, 'label ' || n, n FROM generate_series(1, 200) n;
INSERT INTO shop.stock SELECT n, n FROM generate_series(1, 200) n;
INSERT INTO events SELECT n, date '2024-01-01' + n % 700, 'x' FROM generate_series(1, 2000) n;
INSERT INTO events_2026 SELECT n, date '2026-01-01' + n % 300, 'x' FROM generate_series(1, 500) n;
INSERT INTO logs SELECT n, date '2024-01-01' + n % 700, 'x' FROM generate_series(1, 2000) n;
INSERT INTO logs_2026 SELECT n, date '2026-01-01' + n % 300, 'x' FROM generate_series(1, 500) n;
REFRESH MATERIALIZED VIEW order_days;

-- As a concurrent build leaves it that has failed.
CREATE INDEX archive_body ON archive (body);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'archive_body'::regclass;
