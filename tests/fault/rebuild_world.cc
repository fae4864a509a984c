#include "tests/fault/rebuild_world.h"

#include <fmt/format.h>

#include <random>

#include "tests/support/scratch_folder.h"

namespace pgalter::test {

namespace {

using namespace std::chrono_literals;

constexpr const char* kSchema = R"sql(
CREATE TABLE items (id bigint PRIMARY KEY, a int NOT NULL, u int UNIQUE, pad text, big text);
CREATE TABLE mirror (id bigint PRIMARY KEY, a int NOT NULL, u int, pad text, big text);
CREATE INDEX items_a ON items (a);
CREATE SEQUENCE item_id START 10000000;
CREATE SEQUENCE item_u START 10000000;
CREATE FUNCTION mirror() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    TRUNCATE mirror;
  END IF;
  IF TG_OP IN ('UPDATE', 'DELETE') THEN
    DELETE FROM mirror WHERE id = old.id;
  END IF;
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    INSERT INTO mirror VALUES (new.id, new.a, new.u, new.pad, new.big);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON items FOR EACH ROW
  EXECUTE FUNCTION mirror();
CREATE TRIGGER mirrored_truncate AFTER TRUNCATE ON items FOR EACH STATEMENT
  EXECUTE FUNCTION mirror();
)sql";

constexpr const char* kPartitioned = R"sql(
-- by a column that users change
CREATE TABLE public.items (id bigint, a int NOT NULL, u int, pad text, big text,
  PRIMARY KEY (id, a), UNIQUE (u, a)) PARTITION BY RANGE (a);
CREATE TABLE items_low PARTITION OF items FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE items_mid PARTITION OF public.items FOR VALUES FROM (10) TO (300);
CREATE TABLE items_high PARTITION OF items FOR VALUES FROM (300) TO (700);
CREATE TABLE items_rest PARTITION OF items DEFAULT;
CREATE INDEX items_a ON items (a);
)sql";

std::string OneChange(std::mt19937& dice, Uses uses) {
  const auto pick = [&dice](int least, int most) {
    return std::uniform_int_distribution(least, most)(dice);
  };
  // A third of all changes meets few rows, so that keys come and go and meet each other.
  const int id = pick(0, 2) == 0 ? pick(1, 50) : pick(1, 20'000);
  const int other = id + pick(1, 30);
  switch (pick(0, 11)) {
    case 0:
      return "INSERT INTO items VALUES (nextval('item_id'), 1, nextval('item_u'), 'new')";
    case 1:
      return fmt::format("DELETE FROM items WHERE id = {}", id);
    case 2:
      if (uses == Uses::kAnyKey)
        return fmt::format(
            "INSERT INTO items VALUES ({}, 5, nextval('item_u'), 'again') ON CONFLICT DO NOTHING",
            id);
      return fmt::format(
          "INSERT INTO items VALUES ({}, 5, nextval('item_u'), 'again') ON CONFLICT (id) DO UPDATE "
          "SET a = items.a + 1",
          id);
    case 3:
      return fmt::format("UPDATE items SET id = nextval('item_id') WHERE id = {}", id);
    case 4:  // two rows change places under a unique index
      return fmt::format(
          "BEGIN; SELECT u FROM items WHERE id IN ({0}, {1}) ORDER BY id FOR UPDATE;"
          "CREATE TEMP TABLE was ON COMMIT DROP AS SELECT id, u FROM items WHERE id IN ({0}, {1});"
          "UPDATE items SET u = NULL WHERE id IN ({0}, {1});"
          "UPDATE items i SET u = w.u FROM was w WHERE w.id = CASE i.id WHEN {0} THEN {1} ELSE {0} "
          "END AND i.id IN ({0}, {1}); COMMIT",
          id, other);
    case 5:
      return fmt::format(
          "BEGIN; UPDATE items SET a = a + 1 WHERE id = {0}; SAVEPOINT s; DELETE FROM items WHERE "
          "id = {0}; ROLLBACK TO s; UPDATE items SET pad = 'kept' WHERE id = {0}; COMMIT",
          id);
    case 6:
      return fmt::format(
          "BEGIN; UPDATE items SET a = -1 WHERE id = {0}; DELETE FROM items WHERE id = {1}; "
          "ROLLBACK",
          id, other);
    case 7:  // deleted and made again
      return fmt::format(
          "BEGIN; DELETE FROM items WHERE id = {0}; INSERT INTO items VALUES ({0}, 9, "
          "nextval('item_u'), 'reborn'); COMMIT",
          id);
    case 8:
      return fmt::format(
          "SET session_replication_role = replica; SET session_replication_role = origin;"
          "UPDATE items SET big = repeat(md5('{0}'), 300) WHERE id = {0}",
          id);
    case 9:  // long, across whatever the program does meanwhile
      if (pick(0, 9) > 0) return fmt::format("UPDATE items SET a = a + 2 WHERE id = {}", id);
      return fmt::format(
          "BEGIN; UPDATE items SET a = a + 3 WHERE id = {}; SELECT pg_sleep(0.3); COMMIT", id);
    default:
      return fmt::format("UPDATE items SET a = a + 1 WHERE id = {}", id);
  }
}

// Users' own: two of them met, one in a row that had moved to another partition. The server lost:
// it was killed. A key that is there already.
bool IsExpected(const SqlError& error) {
  return error.sqlstate() == "40P01" || error.sqlstate() == "23505" || error.sqlstate() == "40001";
}
bool IsLost(const SqlError& error) {
  return error.sqlstate().empty() || error.sqlstate().starts_with("57P") ||
         error.sqlstate().starts_with("08");
}

}  // namespace

Rebuilders::Rebuilders(std::string conninfo, unsigned seed, int count, Uses uses)
    : conninfo_(std::move(conninfo)),
      change_([uses](std::mt19937& dice) { return OneChange(dice, uses); }) {
  for (int i = 0; i < count; ++i)
    threads_.emplace_back([this, seed, i] { Write(seed * 16 + static_cast<unsigned>(i)); });
}

Rebuilders::Rebuilders(std::string conninfo, unsigned seed, Change change, std::string refused)
    : conninfo_(std::move(conninfo)), change_(std::move(change)), refused_(std::move(refused)) {
  for (unsigned i = 0; i < 2; ++i) threads_.emplace_back([this, seed, i] { Write(seed * 16 + i); });
}

void Rebuilders::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Rebuilders::AwaitWrites(long more) {
  const long wanted = writes_ + more;
  ASSERT_TRUE(Within(std::chrono::seconds(60), [&] { return writes_ >= wanted; })) << errors();
}

std::string Rebuilders::errors() {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

void Rebuilders::Write(unsigned seed) {
  std::mt19937 dice(seed);
  while (!stopping_) {
    try {
      Session session(conninfo_);
      while (!stopping_) {
        try {
          session.Exec(change_(dice));
          ++writes_;
        } catch (const SqlError& error) {
          if (!IsExpected(error) && error.sqlstate() != refused_) throw;
          session.Exec("ROLLBACK");
        }
        std::this_thread::sleep_for(1ms);  // a load, not a storm
      }
    } catch (const SqlError& error) {
      if (!IsLost(error)) {
        const std::scoped_lock lock(mutex_);
        errors_ += error.what();
        return;
      }
      std::this_thread::sleep_for(50ms);
    }
  }
}

void RebuildWorld::MakeRebuilt(int rows) {
  database_.Sql(kSchema);
  database_.Sql(fmt::format(
      "ALTER TABLE items DISABLE TRIGGER mirrored; INSERT INTO items SELECT g, g % 1000, g, "
      "repeat('p', 40) FROM generate_series(1, {}) g; INSERT INTO mirror SELECT * FROM items; "
      "ALTER "
      "TABLE items ENABLE TRIGGER mirrored",
      rows));
  database_.Sql("VACUUM ANALYZE items");
}

Words RebuildWorld::Rebuild(const Words& more) {
  Words words{"rebuild", "items",        "--alter", "ALTER a TYPE bigint",
              "--yes",   "--chunk-time", "10ms"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string RebuildWorld::File(const std::string& text) { return SharedFolder().File(text); }

Words RebuildWorld::Partition(const Words& more) {
  Words words{"rebuild", "items",        "--definition", File(kPartitioned), "--allow-weaker-keys",
              "--yes",   "--chunk-time", "10ms"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void RebuildWorld::ExpectPartitioned() const {
  EXPECT_EQ(database_.Value("SELECT relkind FROM pg_class WHERE oid = 'items'::regclass"), "p");
  EXPECT_EQ(
      database_.Value("SELECT string_agg(format('%s %s', c.relname, (SELECT string_agg("
                      "i.relname, ' ' ORDER BY i.relname) FROM pg_index x JOIN pg_class i ON "
                      "i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisvalid)), "
                      "'; ' ORDER BY c.relname) FROM pg_inherits h JOIN pg_class c ON c.oid = "
                      "h.inhrelid WHERE h.inhparent = 'items'::regclass"),
      "items_high items_high_a_idx items_high_pkey items_high_u_a_key; "
      "items_low items_low_a_idx items_low_pkey items_low_u_a_key; "
      "items_mid items_mid_a_idx items_mid_pkey items_mid_u_a_key; "
      "items_rest items_rest_a_idx items_rest_pkey items_rest_u_a_key");
  EXPECT_EQ(database_.Value("SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_index x "
                            "JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = "
                            "'items'::regclass AND x.indisvalid"),
            "items_a items_pkey items_u_a_key");
  EXPECT_EQ(Number("SELECT count(*) FROM ONLY items_low WHERE a >= 10"), 0);
}

void RebuildWorld::ExpectSame() const {
  EXPECT_EQ(
      Number("SELECT count(*) FROM items i FULL JOIN mirror m USING (id) WHERE i.id IS NULL OR "
             "m.id IS NULL OR (i.a, i.u, i.pad, i.big) IS DISTINCT FROM (m.a::bigint, m.u, "
             "m.pad, m.big)"),
      0);
}

void RebuildWorld::ExpectNew() const {
  EXPECT_EQ(
      database_.Value("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid "
                      "= 'items'::regclass AND attname = 'a'"),
      "bigint");
  EXPECT_EQ(database_.Value("SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_index x "
                            "JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = "
                            "'items'::regclass AND x.indisvalid"),
            "items_a items_pkey items_u_key");
}

void RebuildWorld::ExpectNothingLeft() const {
  const Ran finished = Run({"finish", RunId(), "--yes"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  const Ran cleaned = Run({"cleanup", "--yes"});
  EXPECT_EQ(cleaned.code, 0) << cleaned.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  AwaitNoRunner();
}

}  // namespace pgalter::test
