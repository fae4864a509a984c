// What programs feel of `pgalter run`: beside one that holds its transaction open, no statement of
// theirs waits for longer than one attempt at a lock, whatever the recipe. Measured by the
// programs. The same programs at a table that nobody changes tell what the machine itself makes
// them wait, which has other things to do. bench/cases/recipes.sh has the figures, with a steady
// load and a longer transaction.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/fault/run_world.h"
#include "tests/support/scene.h"

namespace pgalter::test {
namespace {

using namespace std::chrono_literals;

// The longest attempt of the ladder, and the time until who waited for it has its turn.
constexpr auto kBearable = 500ms + 250ms;
// Behind a lock that was taken users wait for several statements of ours, each of which the machine
// keeps waiting as it does those of the control.
constexpr int kStatements = 4;
// Some recipes have a dozen steps, and the machine may have other things to do.
constexpr auto kRunLimit = 180s;

struct Recipe {
  const char* name;
  const char* sql;
  // Behind their gate programs of the old form would fail, as they should.
  const char* through = "contract";
  const char* before = "";  // what has to be there
  const char* option = "--sql";
};

// The programs' table as the only partition of one under its name.
constexpr const char* kPartitioned =
    "ALTER TABLE orders RENAME TO orders_1; CREATE TABLE orders (LIKE orders_1 INCLUDING ALL)"
    " PARTITION BY RANGE (id);"
    "ALTER TABLE orders ATTACH PARTITION orders_1 FOR VALUES FROM (MINVALUE) TO (2000000000);"
    "CREATE TABLE orders_rest PARTITION OF orders DEFAULT";
constexpr const char* kParent =
    "CREATE TABLE all_orders (LIKE orders INCLUDING ALL) PARTITION BY RANGE (id)";
constexpr const char* kPartOfParent =
    "CREATE TABLE all_orders (LIKE orders INCLUDING ALL) PARTITION BY RANGE (id);"
    "ALTER TABLE all_orders ATTACH PARTITION orders FOR VALUES FROM (0) TO (2000000000)";

void PrintTo(const Recipe& recipe, std::ostream* out) { *out << recipe.sql; }

class Waits : public RunWorld, public ::testing::WithParamInterface<Recipe> {
 protected:
  void RunBesidePrograms();
};

void Waits::RunBesidePrograms() {
  database_.Sql(
      "DROP SCHEMA IF EXISTS pgalter CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  MakeOrders();
  database_.Sql(
      "CREATE TABLE amounts (n bigint PRIMARY KEY); INSERT INTO amounts SELECT g FROM"
      " generate_series(-1, 100000) g; ALTER TABLE orders ADD spare int; CREATE TABLE other (o "
      "int)");
  database_.Sql(GetParam().before);
  Programs first(database_.conninfo(), Programs::Form::kOld);
  Programs second(database_.conninfo(), Programs::Form::kOld);
  const FreshDatabase aside;
  MakeOrders(aside, kOrders);
  Programs control(aside.conninfo(), Programs::Form::kOld);
  std::jthread reader([this] {
    Session session = database_.Connect();
    session.Exec("BEGIN; SELECT count(*) FROM orders");
    std::this_thread::sleep_for(3s);
    session.Exec("COMMIT");
  });
  const Ran ran =
      Start({"run", GetParam().option, GetParam().sql, "--through", GetParam().through, "--yes"})
          .Wait(kRunLimit);
  reader.join();
  EXPECT_EQ(ran.code, 0) << ran.err;
  for (Programs* programs : {&first, &second, &control}) programs->Stop();
  RecordProperty("control_ms", static_cast<int>(control.longest().count()));
  for (Programs* programs : {&first, &second}) {
    EXPECT_EQ(programs->errors(), "");
    EXPECT_GT(programs->writes(), 20);
    EXPECT_LT(programs->longest(), kBearable + kStatements * control.longest());
  }
}

// The machine may keep one of the programs waiting, and not those of the control.
TEST_P(Waits, AreNoLongerThanAnAttemptAtALock) {
  PlayUntilRight(4, [this] { RunBesidePrograms(); });
}

constexpr Recipe kRecipes[] = {
    {"rebuild", "VACUUM FULL orders"},
    {"type_change", "ALTER TABLE orders ALTER amount TYPE bigint"},
    {"rename_column", "ALTER TABLE orders RENAME COLUMN note TO words", "migrate"},
    {"set_not_null", "ALTER TABLE orders ALTER total_old SET NOT NULL"},
    {"add_foreign_key",
     "ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (amount) REFERENCES amounts"},
    {"attach_partition",
     "ALTER TABLE all_orders ATTACH PARTITION orders FOR VALUES FROM (0) TO (2000000000)",
     "contract", kParent},
    {"as_it_is", "ALTER TABLE orders ADD COLUMN n int NOT NULL DEFAULT 7"},
    {"add_column", "ALTER TABLE orders ADD COLUMN n uuid DEFAULT gen_random_uuid()"},
    {"serial", "ALTER TABLE orders ADD COLUMN n serial"},
    {"add_check", "ALTER TABLE orders ADD CHECK (amount >= -5)"},
    {"add_unique", "ALTER TABLE orders ADD CONSTRAINT twice UNIQUE (id, amount)"},
    {"create_index", "CREATE INDEX ON orders (note)"},
    {"drop_column", "ALTER TABLE orders DROP COLUMN spare", "migrate"},
    {"rename_table", "ALTER TABLE orders RENAME TO sales", "migrate"},
    {"drop_default", "ALTER TABLE orders ALTER note SET DEFAULT 'none'"},
    {"unlogged", "ALTER TABLE orders SET UNLOGGED"},
    {"create_partition",
     "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (2000000000) TO (3000000000)",
     "contract", kPartitioned},
    {"detach_partition", "ALTER TABLE all_orders DETACH PARTITION orders", "contract",
     kPartOfParent},
    {"index_of_partitions", "CREATE INDEX ON orders (note)", "contract", kPartitioned},
    {"refresh_matview", "REFRESH MATERIALIZED VIEW sums", "contract",
     "CREATE MATERIALIZED VIEW sums AS SELECT id, amount FROM orders;"
     "CREATE UNIQUE INDEX ON sums (id)"},
    {"domain_constraint", "ALTER DOMAIN quantity ADD CONSTRAINT sane CHECK (VALUE >= -5)",
     "contract", "CREATE DOMAIN quantity AS int; ALTER TABLE orders ALTER amount TYPE quantity"},
    {"generated", "ALTER TABLE orders ADD COLUMN g int GENERATED ALWAYS AS (amount + 1) STORED"},
    {"add_primary_key", "ALTER TABLE orders ADD PRIMARY KEY (id)", "contract",
     "ALTER TABLE orders DROP CONSTRAINT orders_pkey"},
    {"replace_key", "ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (id, amount)"},
    {"drop_index", "DROP INDEX spare_idx", "contract", "CREATE INDEX spare_idx ON orders (amount)"},
    {"reindex", "REINDEX TABLE orders"},
    {"drop_table", "DROP TABLE child", "migrate",
     "CREATE TABLE child (o bigint REFERENCES orders)"},
    {"drop_object", "DROP VIEW all_of_it", "contract",
     "CREATE VIEW all_of_it AS SELECT * FROM orders"},
    {"rename_object", "ALTER SEQUENCE spare_id RENAME TO other_id", "contract",
     "CREATE SEQUENCE spare_id"},
    {"move_tablespace", "ALTER INDEX orders_pkey SET TABLESPACE pg_default"},
    {"enum_value", "ALTER TYPE mood ADD VALUE 'sad'", "contract",
     "CREATE TYPE mood AS ENUM ('glad'); ALTER TABLE orders ADD mood mood"},
    {"update_rows", "UPDATE orders SET spare = amount + 1"},
    {"exclude", "ALTER TABLE orders ADD CONSTRAINT once EXCLUDE USING btree (id WITH =)"},
    {"row_security", "ALTER TABLE orders ENABLE ROW LEVEL SECURITY"},
    {"cluster", "CLUSTER orders USING orders_pkey"},
    {"split", "orders (spare) INTO order_spare", "contract", "", "--split"},
};

// The first seven, unless there is time (./dev torture).
std::vector<Recipe> Slice() {
  const std::size_t count =
      std::getenv("PGALTER_TORTURE_ROUNDS") != nullptr ? std::size(kRecipes) : 7;
  return {kRecipes, kRecipes + count};
}

INSTANTIATE_TEST_SUITE_P(Recipes, Waits, ::testing::ValuesIn(Slice()),
                         [](const auto& recipe) { return std::string(recipe.param.name); });

}  // namespace
}  // namespace pgalter::test
