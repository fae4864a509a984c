#include "tests/fault/split_world.h"

#include <fmt/format.h>

#include <random>

namespace pgalter::test {

using namespace std::chrono_literals;

namespace {

// The change, and what it means in the book. One order of locks for all: orders, then book.
std::string Booked(const std::string& change, const std::string& book) {
  return fmt::format("WITH u AS ({} RETURNING id) {}", change, book);
}

std::string OldWrite(std::mt19937& dice, long id) {
  switch (dice() % 8) {
    case 0:
      return Booked(
          "INSERT INTO orders (id, amount, note, slug) SELECT n, 1, 'o', 's' || n FROM "
          "nextval('order_id') n",
          "INSERT INTO book SELECT id, 'o', 's' || id FROM u");
    case 1:
      return Booked(fmt::format("DELETE FROM orders WHERE id = {}", id),
                    "DELETE FROM book USING u WHERE book.id = u.id");
    case 2:
      return Booked(fmt::format("UPDATE orders SET id = id + 1000000 WHERE id = {}", id),
                    fmt::format("UPDATE book SET id = u.id FROM u WHERE book.id = {}", id));
    case 3:
      return fmt::format("UPDATE orders SET amount = amount + 1 WHERE id = {}", id);
    case 4:
      return Booked(
          fmt::format("INSERT INTO orders (id, amount, note, slug) SELECT id, 1, 'x', "
                      "NULL FROM orders WHERE id = {} ON CONFLICT (id) DO UPDATE SET note "
                      "= orders.note || 'c'",
                      id),
          "UPDATE book SET note = note || 'c' FROM u WHERE book.id = u.id");
    case 5:
      // What a savepoint takes back was never there.
      return fmt::format(
          "SAVEPOINT s; UPDATE orders SET note = 'never' WHERE id = {0}; DELETE FROM orders WHERE "
          "id = {0}; ROLLBACK TO s",
          id);
    default:
      return Booked(fmt::format("UPDATE orders SET note = note || 'o' WHERE id = {}", id),
                    "UPDATE book SET note = note || 'o' FROM u WHERE book.id = u.id");
  }
}

std::string NewWrite(std::mt19937& dice, long id) {
  switch (dice() % 6) {
    case 0:
      return "INSERT INTO orders (id, amount) VALUES (nextval('order_id'), 2); INSERT INTO "
             "order_note (id, note, slug) VALUES (currval('order_id'), 'n', 's' || "
             "currval('order_id')); INSERT INTO book VALUES (currval('order_id'), 'n', 's' || "
             "currval('order_id'))";
    case 1:
      return Booked(fmt::format("DELETE FROM order_note WHERE id = {}", id),
                    "UPDATE book SET note = NULL, slug = NULL FROM u WHERE book.id = u.id");
    case 2:
      return fmt::format("UPDATE orders SET amount = amount + 1 WHERE id = {}", id);
    case 3:
      return fmt::format(
          "SELECT FROM order_note WHERE id = {0} FOR UPDATE; {1}", id,
          Booked(fmt::format("UPDATE order_note SET slug = NULL, note = note || 'f' WHERE id = {}",
                             id),
                 "UPDATE book SET slug = NULL, note = note || 'f' FROM u WHERE book.id = u.id"));
    default:
      return Booked(fmt::format("UPDATE order_note SET note = note || 'n' WHERE id = {}", id),
                    "UPDATE book SET note = note || 'n' FROM u WHERE book.id = u.id");
  }
}

bool IsLost(const SqlError& error) {
  return error.sqlstate().empty() || error.sqlstate().starts_with("57P") ||
         error.sqlstate().starts_with("08");
}

}  // namespace

SplitUsers::SplitUsers(std::string conninfo, Form form, unsigned seed, int count)
    : conninfo_(std::move(conninfo)), form_(form) {
  for (int i = 0; i < count; ++i)
    threads_.emplace_back([this, seed, i] { Work(seed + static_cast<unsigned>(i)); });
}

void SplitUsers::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::string SplitUsers::errors() {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

void SplitUsers::Work(unsigned seed) {
  std::mt19937 dice(seed);
  while (!stopping_) {
    std::string sql;
    try {
      Session session(conninfo_);
      while (!stopping_) {
        const long id = static_cast<long>(dice() % 3'000) + 1;
        const char* isolation = dice() % 4 == 0 ? "REPEATABLE READ" : "READ COMMITTED";
        sql = fmt::format("BEGIN ISOLATION LEVEL {}; SELECT 1; {}; COMMIT", isolation,
                          form_ == Form::kOld ? OldWrite(dice, id) : NewWrite(dice, id));
        try {
          session.Exec(sql);
          ++writes_;
        } catch (const SqlError& error) {
          if (error.sqlstate() != "40001") throw;
          session.Exec("ROLLBACK");
        }
        std::this_thread::sleep_for(1ms);
      }
    } catch (const SqlError& error) {
      if (!IsLost(error)) {
        const std::scoped_lock lock(mutex_);
        errors_ += fmt::format("{} {}: {}\n", error.sqlstate(), error.what(), sql);
        return;
      }
      std::this_thread::sleep_for(50ms);
    }
  }
}

void SplitWorld::MakeTable(const FreshDatabase& database, int rows) {
  database.Sql(fmt::format(
      "CREATE TABLE orders (id bigint PRIMARY KEY, amount int NOT NULL,"
      " note text NOT NULL CONSTRAINT note_given CHECK (note <> ''), slug text UNIQUE,"
      " noted_at timestamptz DEFAULT '2026-01-01 00:00+00');"
      "COMMENT ON COLUMN orders.note IS 'what was noted';"
      "ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL;"
      "INSERT INTO orders SELECT g, g % 1000, 'n', 's' || g FROM generate_series(1, {}) g;"
      "CREATE INDEX orders_noted_idx ON orders (noted_at);"
      "CREATE TABLE book (id bigint PRIMARY KEY, note text, slug text);"
      "INSERT INTO book SELECT id, note, slug FROM orders;"
      "CREATE SEQUENCE order_id START 100001",
      rows));
  database.Sql("VACUUM ANALYZE orders");
}

Words SplitWorld::Split(const Words& more) {
  Words words{"run",   "--split",      "orders (note, slug, noted_at) INTO order_note",
              "--yes", "--chunk-time", "5ms"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string SplitWorld::PlainDump() {
  // The same for every test: made once.
  static const std::string dump = [] {
    const FreshDatabase plain;
    MakeTable(plain, 10);
    plain.Sql(
        "CREATE TABLE order_note (id bigint NOT NULL, note text NOT NULL, slug text,"
        " noted_at timestamptz DEFAULT '2026-01-01 00:00+00',"
        " CONSTRAINT order_note_pkey PRIMARY KEY (id), CONSTRAINT note_given CHECK (note <> ''),"
        " CONSTRAINT order_note_slug_key UNIQUE (slug));"
        "COMMENT ON COLUMN order_note.note IS 'what was noted';"
        "ALTER TABLE order_note ALTER COLUMN note SET STORAGE EXTERNAL;"
        "CREATE INDEX order_note_noted_at_idx ON order_note (noted_at);"
        "ALTER TABLE order_note ADD CONSTRAINT order_note_fkey FOREIGN KEY (id) REFERENCES orders"
        " ON DELETE CASCADE;"
        "ALTER TABLE orders DROP COLUMN note, DROP COLUMN slug, DROP COLUMN noted_at");
    return DumpOf(plain);
  }();
  return dump;
}

void SplitWorld::RunKilledAt(const std::string& point, const Words& words) const {
  if (point.empty()) {
    const Ran ran = Run(words);
    ASSERT_EQ(ran.code, 0) << ran.err;
    return;
  }
  const Ran killed = Run(words, {"PGALTER_FAIL_POINT=" + point});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran ran = Run({"resume", RunId()});
  ASSERT_EQ(ran.code, 0) << ran.err;
}

void SplitWorld::ExpectBooksRight(const std::string& note_table) const {
  EXPECT_EQ(Number("SELECT count(*) FROM book b FULL JOIN orders o ON b.id = o.id WHERE b.id IS "
                   "NULL OR o.id IS NULL"),
            0);
  const std::string booked = "SELECT id, note, slug FROM book WHERE note IS NOT NULL";
  const std::string there = "SELECT id, note, slug FROM " + note_table;
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM ({} EXCEPT ALL {}) x", booked, there)), 0);
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM ({} EXCEPT ALL {}) x", there, booked)), 0);
}

}  // namespace pgalter::test
