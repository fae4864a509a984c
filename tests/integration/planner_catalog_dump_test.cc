// What a schema dump says of a database is what the live catalog says.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "planner/sql/script.h"
#include "tests/support/live_schema.h"
#include "tests/support/postgres.h"
#include "tests/support/schema_difference.h"

namespace pgalter::catalog {
namespace {

using test::Differences;
using test::FreshDatabase;
using test::LiveSchema;
using ::testing::IsEmpty;

constexpr const char* kRich = R"sql(
CREATE SCHEMA app;
CREATE SCHEMA "Odd Schema";
CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'it''s');
CREATE TYPE app.pair AS (a int, b varchar(7));
CREATE TYPE app.span AS RANGE (subtype = float8);
CREATE DOMAIN app.positive AS numeric(12, 3) DEFAULT 1 NOT NULL CHECK (VALUE > 0)
  CONSTRAINT not_huge CHECK (VALUE < 1e9);
CREATE DOMAIN app.name AS text COLLATE "C";
ALTER DOMAIN app.name ADD CONSTRAINT filled CHECK (VALUE <> '') NOT VALID;
CREATE FUNCTION app.twice(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i * 2';
CREATE FUNCTION app.twice(i int, j text, k int DEFAULT 3) RETURNS int LANGUAGE sql STABLE AS 'SELECT i * k';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION app.atomic() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
CREATE PROCEDURE app.work(IN a int, INOUT b int DEFAULT 2) LANGUAGE plpgsql AS 'BEGIN b := a; END';
CREATE TABLE app.customer (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name app.name NOT NULL,
  mood app.mood DEFAULT 'ok',
  moods app.mood[],
  pair app.pair,
  amount app.positive,
  email varchar(200) COLLATE "C" UNIQUE DEFERRABLE INITIALLY DEFERRED,
  born date,
  age int GENERATED ALWAYS AS (app.twice(id::int) + 1) STORED,
  tags text[][],
  "Odd ""Column" char(3),
  stamp timestamp(3) with time zone DEFAULT now(),
  CONSTRAINT grown CHECK (born < '2020-01-01' AND name IS NOT NULL),
  CHECK (amount > 0 OR born IS NULL) NO INHERIT
);
CREATE TABLE app.item (
  id serial,
  customer bigint NOT NULL REFERENCES app.customer ON DELETE CASCADE ON UPDATE SET NULL,
  price numeric(10, 2) CHECK (price >= 0),
  period app.span,
  PRIMARY KEY (id) INCLUDE (price),
  EXCLUDE USING gist (period WITH &&) WHERE (price > 0),
  UNIQUE (customer, price)
);
ALTER TABLE app.item ADD CONSTRAINT later CHECK (price < 1000) NOT VALID;
ALTER TABLE app.item ADD CONSTRAINT self FOREIGN KEY (id) REFERENCES app.item NOT VALID;
CREATE INDEX ON app.customer (lower(email), born DESC NULLS LAST) INCLUDE (mood) WHERE born IS NOT NULL;
CREATE INDEX ON app.customer USING hash (mood);
CREATE INDEX ON app.customer USING gin (tags);
CREATE INDEX prefix ON app.customer (email text_pattern_ops, name COLLATE "POSIX");
CREATE UNIQUE INDEX CONCURRENTLY cu ON app.customer (born) WHERE born > '2000-01-01';
CREATE TABLE app.event (
  at date NOT NULL, id bigint NOT NULL, customer bigint REFERENCES app.customer, n int,
  PRIMARY KEY (id, at), CONSTRAINT many CHECK (n > 0)
) PARTITION BY RANGE (at);
CREATE INDEX ON app.event (n);
CREATE TABLE app.event_2024 PARTITION OF app.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE app.event_2025 PARTITION OF app.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
  PARTITION BY HASH (id);
CREATE TABLE app.event_2025_0 PARTITION OF app.event_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.event_2025_1 PARTITION OF app.event_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE app.event_rest PARTITION OF app.event DEFAULT;
CREATE INDEX half ON ONLY app.event (customer);
CREATE TABLE app.ref (e_id bigint, e_at date, FOREIGN KEY (e_id, e_at) REFERENCES app.event);
CREATE TABLE app.kind (k text) PARTITION BY LIST (k);
CREATE TABLE app.kind_ab PARTITION OF app.kind FOR VALUES IN ('a', 'b', NULL);
CREATE TABLE app.base (id int NOT NULL, note text DEFAULT 'x', CONSTRAINT noted CHECK (note <> ''));
CREATE TABLE app.derived (own int, note text) INHERITS (app.base);
CREATE TABLE app.typed OF app.pair (a NOT NULL, PRIMARY KEY (a));
CREATE TABLE app.item_copy (LIKE app.item INCLUDING ALL, CHECK (id < 10), UNIQUE (price));
CREATE TABLE app.customer_copy (LIKE app.customer INCLUDING INDEXES);
CREATE UNLOGGED TABLE "Odd Schema"."Odd ""Table" ("A" int, "select" text);
CREATE INDEX "Odd Index" ON "Odd Schema"."Odd ""Table" ("A");
CREATE SEQUENCE app.free_seq;
CREATE SEQUENCE app.owned_seq OWNED BY app.base.id;
CREATE VIEW app.adults AS SELECT c.id, c.name, i.price FROM app.customer c JOIN app.item i ON i.customer = c.id
  WHERE c.born < '2006-01-01';
CREATE VIEW app.names AS SELECT name FROM app.adults;
CREATE MATERIALIZED VIEW app.totals AS SELECT customer, sum(price) AS total FROM app.item GROUP BY customer;
CREATE UNIQUE INDEX ON app.totals (customer);
CREATE TRIGGER touched BEFORE UPDATE OF price, customer ON app.item FOR EACH ROW
  WHEN (OLD.price IS DISTINCT FROM NEW.price) EXECUTE FUNCTION app.touch();
CREATE TRIGGER event_touched AFTER INSERT ON app.event FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.customer USING (name = CURRENT_USER) WITH CHECK (born IS NOT NULL);
CREATE RULE quiet AS ON DELETE TO app.base DO INSTEAD NOTHING;
ALTER TABLE app.base REPLICA IDENTITY FULL;
ALTER TABLE app.base ALTER note SET STATISTICS 50, SET (fillfactor = 70);
CREATE STATISTICS app.stats ON customer, price FROM app.item;
COMMENT ON TABLE app.base IS 'a; b';
)sql";

std::string Dump(const FreshDatabase& database) {
  const std::string command = (database.server().bin_dir() / "pg_dump").string() + " -s -d '" +
                              database.conninfo() + "' 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("pg_dump does not start");
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), got);
  if (pclose(pipe) != 0) throw std::runtime_error("pg_dump failed: " + text);
  return text;
}

Schema FromScript(const std::string& script) {
  Schema schema;
  for (const sql::Piece& piece : sql::SplitScript(script)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    const auto statement = sql::ast::ReadStatement(piece.sql);
    if (statement) {
      schema.Apply(*statement);
    } else {
      ADD_FAILURE() << piece.sql << ": " << statement.error().message;
    }
  }
  return schema;
}

TEST(CatalogFromDump, IsWhatTheLiveCatalogSays) {
  const FreshDatabase database;
  if (!std::filesystem::exists(database.server().bin_dir() / "pg_dump"))
    GTEST_SKIP() << "this server comes without pg_dump, and an older one refuses it";
  for (const sql::Piece& piece : sql::SplitScript(kRich)) database.Sql(piece.sql);
  const Schema live = LiveSchema(database.conninfo()).Read();
  EXPECT_THAT(Differences(FromScript(Dump(database)), live), IsEmpty());
}

TEST(CatalogFromScript, IsWhatTheLiveCatalogSays) {
  const FreshDatabase database;
  for (const sql::Piece& piece : sql::SplitScript(kRich)) database.Sql(piece.sql);
  const Schema live = LiveSchema(database.conninfo()).Read();
  EXPECT_THAT(Differences(FromScript(kRich), live), IsEmpty());
}

// --- what only the live catalog has ---

TEST(LiveCatalog, KnowsRowsAndBytesAndSumsPartitions) {
  const FreshDatabase database;
  database.Sql(
      "CREATE TABLE t AS SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i; ANALYZE t;"
      "CREATE TABLE never (a int); INSERT INTO never VALUES (1); CREATE TABLE empty (a int);"
      "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN "
      "(1);"
      "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);"
      "INSERT INTO p SELECT 1 + i % 2 FROM generate_series(1, 400) i; ANALYZE p");
  const Schema live = LiveSchema(database.conninfo()).Read();
  const auto table = [&](const char* name) -> const Table& {
    return *live.FindTable({std::nullopt, name});
  };
  EXPECT_EQ(table("t").rows, 5000);
  EXPECT_GT(table("t").bytes.value_or(0), 500'000);
  EXPECT_EQ(table("never").rows, std::nullopt);
  EXPECT_EQ(table("empty").rows, 0);
  EXPECT_EQ(table("p").rows, 400);
  EXPECT_EQ(table("p").bytes, *table("p1").bytes + *table("p2").bytes);
  EXPECT_TRUE(live.complete());
}

TEST(LiveCatalog, DoesNotWaitLongForALockedTable) {
  const FreshDatabase database;
  database.Sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  database.Sql("VACUUM ANALYZE t");
  test::Session user = database.Connect();
  user.Exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  const Schema live = LiveSchema(database.conninfo()).Read();
  EXPECT_EQ(live.FindTable({std::nullopt, "t"})->bytes, 8192);
}

TEST(LiveCatalog, KnowsAnIndexThatIsNotValid) {
  const FreshDatabase database;
  database.Sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
  EXPECT_THROW(database.Sql("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"), test::SqlError);
  const Schema live = LiveSchema(database.conninfo()).Read();
  EXPECT_FALSE(live.FindIndex({std::nullopt, "i"})->valid);
}

}  // namespace
}  // namespace pgalter::catalog
