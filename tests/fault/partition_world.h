// A table in use that is partitioned, its users, and the mirror that tells what it has to hold.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {

// events has a mirror, which a trigger of the user's own keeps in the same transaction.
inline constexpr const char* kEvents = R"sql(
CREATE TABLE kind (id int PRIMARY KEY);
INSERT INTO kind SELECT generate_series(0, 9);
CREATE TABLE events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  made timestamptz NOT NULL,
  kind int NOT NULL REFERENCES kind,
  note text);
CREATE INDEX events_made ON events (made);
CREATE INDEX events_kind ON events (kind) WHERE note IS NOT NULL;
CREATE TABLE mirror (id bigint PRIMARY KEY, made timestamptz, kind int, note text);
CREATE FUNCTION mirror() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  IF TG_OP IN ('UPDATE', 'DELETE') THEN
    DELETE FROM mirror WHERE id = old.id;
  END IF;
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    INSERT INTO mirror VALUES (new.id, new.made, new.kind, new.note);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON events FOR EACH ROW
  EXECUTE FUNCTION mirror();
)sql";

// Users: new rows of now, changes, rows that go and rows that move in time, even into the next
// partitions once there are some; and rows on the very bounds of the days of a time zone.
class Users {
 public:
  Users(std::string conninfo, unsigned seed, std::string zone = "UTC")
      : conninfo_(std::move(conninfo)), zone_(std::move(zone)) {
    for (unsigned i = 0; i < 2; ++i) threads_.emplace_back([this, seed, i] { Write(seed + i); });
  }
  Users(const Users&) = delete;
  Users& operator=(const Users&) = delete;
  ~Users() { Stop(); }

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  [[nodiscard]] std::string errors() {
    const std::scoped_lock lock(mutex_);
    return errors_;
  }
  void AwaitWrites(long more) const {
    const long wanted = writes_ + more;
    ASSERT_TRUE(Within(std::chrono::seconds(60), [&] { return writes_ >= wanted; }));
  }
  [[nodiscard]] long writes() const { return writes_; }
  // Rows of the months to come: until there are partitions, the CHECK of the bound refuses them.
  std::atomic<bool> ahead = false;

 private:
  std::string Change(std::mt19937& dice) const {
    const auto pick = [&dice](int least, int most) {
      return std::uniform_int_distribution(least, most)(dice);
    };
    const int id = pick(1, 5000);
    switch (pick(0, 6)) {
      case 6:
        return fmt::format(
            "INSERT INTO events (made, kind, note) VALUES ((date_trunc('day', now() AT TIME ZONE "
            "'{0}') - interval '{1} days') AT TIME ZONE '{0}' - interval '{2} microseconds', {3}, "
            "'on a bound')",
            zone_, pick(0, 60), pick(0, 1), pick(0, 9));
      case 0:
        return fmt::format("DELETE FROM events WHERE id = {}", id);
      case 1:
        return fmt::format("UPDATE events SET note = 'changed', kind = {} WHERE id = {}",
                           pick(0, 9), id);
      case 2:
        return fmt::format("UPDATE events SET made = now() + interval '{} days' WHERE id = {}",
                           ahead ? pick(0, 120) : -pick(0, 500), id);
      case 3:
        return fmt::format(
            "BEGIN; UPDATE events SET note = 'gone' WHERE id = {}; DELETE FROM events WHERE id = "
            "{}; ROLLBACK",
            id, id + 1);
      default:
        return fmt::format(
            "INSERT INTO events (made, kind, note) VALUES (now() + interval '{} "
            "days', {}, 'new')",
            ahead ? pick(0, 200) : 0, pick(0, 9));
    }
  }

  // The two of them wanted one row at once: the second repeats. When the first has moved the row to
  // another partition, PostgreSQL ends the second with 40001, at read committed, too (UPDATE,
  // "Notes"); by its words, since the same code can come from a guard of ours.
  static bool TheyMet(const SqlError& error) {
    return error.sqlstate() == "40P01" ||
           std::string_view(error.what()).find("moved to another partition") !=
               std::string_view::npos;
  }

  void Write(unsigned seed) {
    std::mt19937 dice(seed);
    try {
      Session session(conninfo_);
      while (!stopping_) {
        try {
          session.Exec(Change(dice));
          ++writes_;
        } catch (const SqlError& error) {
          if (!TheyMet(error)) throw;
          session.Exec("ROLLBACK");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // a load, not a storm
      }
    } catch (const SqlError& error) {
      const std::scoped_lock lock(mutex_);
      errors_ += error.what();
    }
  }

  std::string conninfo_;
  std::string zone_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> writes_ = 0;
  std::mutex mutex_;
  std::string errors_;
  std::vector<std::thread> threads_;
};

class Partitioned : public BackfillWorld {
 protected:
  using BackfillWorld::BackfillWorld;

  void MakeEvents(int rows = 5000) {
    database_.Sql(kEvents);
    database_.Sql(fmt::format(
        "ALTER TABLE events DISABLE TRIGGER mirrored; INSERT INTO events (made, kind, note) SELECT "
        "now() - g * interval '2 hours', g % 10, 'old' FROM generate_series(1, {}) g; INSERT INTO "
        "mirror SELECT * FROM events; ALTER TABLE events ENABLE TRIGGER mirrored",
        rows));
    file_ = File("events");
  }

  // `more` may say other ranges.
  [[nodiscard]] static Words Convert(const Words& more = {}) {
    Words words{"partition", "convert", "events", "--yes"};
    if (std::ranges::count(more, "--by") == 0) words.insert(words.end(), {"--by", "range(made)"});
    if (std::ranges::count(more, "--every") == 0) words.insert(words.end(), {"--every", "1 month"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  [[nodiscard]] std::string File(const std::string& table) const {
    return database_.Value(fmt::format("SELECT pg_relation_filenode('{}')", table));
  }

  void ExpectSame() const {
    EXPECT_EQ(
        Number("SELECT count(*) FROM events e FULL JOIN mirror m USING (id) WHERE e.id IS NULL "
               "OR m.id IS NULL OR (e.made, e.kind, e.note) IS DISTINCT FROM (m.made, m.kind, "
               "m.note)"),
        0);
    EXPECT_EQ(Number("SELECT count(*) - count(DISTINCT id) FROM events"), 0);
  }

  void ExpectPartitioned() const {
    EXPECT_EQ(StateOfRun(), "done");
    EXPECT_EQ(database_.Value("SELECT pg_get_partkeydef('events'::regclass)"), "RANGE (made)");
    // The old table, by its file: nothing was rewritten.
    EXPECT_EQ(
        database_.Value("SELECT pg_relation_filenode(inhrelid) FROM pg_inherits WHERE inhparent = "
                        "'events'::regclass AND inhrelid::regclass::text LIKE 'events_until_%'"),
        file_);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 6);
    EXPECT_EQ(database_.Value("SELECT string_agg(c.relname || CASE WHEN x.indisvalid THEN '' ELSE "
                              "' invalid' END, ' ' ORDER BY c.relname) FROM pg_index x JOIN "
                              "pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = "
                              "'events'::regclass"),
              "events_kind events_made events_pkey");
    EXPECT_EQ(
        database_.Value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = "
                        "'events'::regclass AND contype = 'p'"),
        "PRIMARY KEY (id, made)");
    EXPECT_EQ(database_.Value("SELECT string_agg(conname || convalidated, ' ') FROM pg_constraint "
                              "WHERE conrelid = 'events'::regclass AND contype = 'f' AND "
                              "conparentid = 0"),
              "events_kind_fkeytrue");
    ExpectNothingOfOurs();
  }

  void ExpectPlain(const char* state) const {
    EXPECT_EQ(StateOfRun(), state);
    EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
              "r");
    EXPECT_EQ(File("events"), file_);
    EXPECT_EQ(database_.Value("SELECT string_agg(c.relname || CASE WHEN x.indisvalid THEN '' ELSE "
                              "' invalid' END, ' ' ORDER BY c.relname) FROM pg_index x JOIN "
                              "pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = "
                              "'events'::regclass"),
              "events_kind events_made events_pkey");
    EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'events\\_p2%' OR relname "
                     "LIKE 'events_until%'"),
              0);
    ExpectNothingOfOurs();
  }

  void ExpectNothingOfOurs() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'pgalter%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  }

  std::string file_;
};

}  // namespace pgalter::test
