// Two tables, of which one refers to a key of the other that a conversion widens; the same pair
// beside it, which stays as it is: a foreign key of the server's own is the oracle.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

#include "tests/fault/partition_world.h"

namespace pgalter::test {

// Twice: in public, where it is converted, and in control, where it stays as it is.
inline constexpr const char* kPair =
    "CREATE TABLE p (id int PRIMARY KEY, made timestamptz NOT NULL, note text); INSERT INTO p "
    "SELECT g, now() - g * interval '1 day' FROM generate_series(1, 20) g; CREATE TABLE c (n int "
    "PRIMARY KEY, e int DEFAULT 7, CONSTRAINT fk FOREIGN KEY (e) REFERENCES p {})";

// The table that refers is partitioned.
inline constexpr const char* kParted =
    "CREATE TABLE p (id int PRIMARY KEY, made timestamptz NOT NULL, note text); INSERT INTO p "
    "SELECT g, now() - g * interval '1 day' FROM generate_series(1, 20) g; CREATE TABLE c (n int "
    "PRIMARY KEY, e int DEFAULT 7, CONSTRAINT fk FOREIGN KEY (e) REFERENCES p {}) PARTITION BY "
    "RANGE "
    "(n); CREATE TABLE c_1 PARTITION OF c FOR VALUES FROM (0) TO (10); CREATE TABLE c_2 PARTITION "
    "OF "
    "c DEFAULT PARTITION BY RANGE (n); CREATE TABLE c_2_1 PARTITION OF c_2 DEFAULT";

// It refers to itself.
inline constexpr const char* kTree =
    "CREATE TABLE p (id int PRIMARY KEY, made timestamptz NOT NULL, up int DEFAULT 7, CONSTRAINT "
    "fk "
    "FOREIGN KEY (up) REFERENCES p {}); INSERT INTO p SELECT g, now() - g * interval '1 day', "
    "nullif(g / 2, 0) FROM generate_series(1, 20) g";

// "done", or the SQLSTATE of what the server refused.
inline std::string Said(Session& session, const std::string& sql) {
  try {
    session.Exec(sql);
    return "done";
  } catch (const SqlError& error) {
    session.Exec("ROLLBACK");
    // PostgreSQL 18 has a code of its own for RESTRICT.
    return error.sqlstate() == "23001" ? "23503" : error.sqlstate();
  }
}

// The same of what was sent.
inline std::string Waited(Session& session) {
  try {
    session.Wait();
    return "done";
  } catch (const SqlError& error) {
    session.Exec("ROLLBACK");
    return error.sqlstate() == "23001" ? "23503" : error.sqlstate();
  }
}

class PartitionInbound : public Partitioned {
 protected:
  [[nodiscard]] static Words Convert(const char* way, const Words& more = {}) {
    Words words{"partition", "convert",      "p", "--by", "range(made)", "--every",
                "1 month",   "--inbound-fk", way, "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void MakePair(const std::string& actions, const char* way, const char* pair = kPair,
                const Words& more = {}) {
    database_.Sql("CREATE SCHEMA control; SET search_path = control; " +
                  fmt::format(fmt::runtime(pair), actions) + "; SET search_path = public; " +
                  fmt::format(fmt::runtime(pair), actions));
    const Ran ran = Run(Convert(way, more));
    ASSERT_EQ(ran.code, 0) << ran.err;
    ASSERT_EQ(
        database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'public.p'::regclass"),
        "p");
  }

  // Keys and triggers are again those of the control.
  void ExpectTakenBack() {
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    Session own = database_.Connect();
    Session control = database_.Connect();
    control.Exec("SET search_path = control");
    for (const char* catalog :
         {"SELECT string_agg(format('%s %s %s %s %s', conrelid::regclass, conname, convalidated, "
          "conparentid = 0, pg_get_constraintdef(oid)), '; ' ORDER BY conrelid::regclass::text, "
          "conname) FROM pg_constraint WHERE connamespace = current_schema::regnamespace",
          "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT "
          "tgisinternal AND relnamespace = current_schema::regnamespace",
          "SELECT count(*) FROM pg_proc WHERE pronamespace = current_schema::regnamespace"})
      EXPECT_EQ(own.Value(catalog), control.Value(catalog));
  }

  [[nodiscard]] long Orphans() const {
    return Number(
        "SELECT count(*) FROM public.c WHERE e IS NOT NULL AND NOT EXISTS (SELECT FROM "
        "public.p WHERE id = e)");
  }
};

struct ActionCase {
  const char* name;
  const char* actions;
  const char* pair = kPair;
};

// What users of the pair do.
inline constexpr std::array kOfTwo{
    "INSERT INTO c VALUES (1, 1)",
    "INSERT INTO c VALUES (2, 99)",
    "INSERT INTO c VALUES (3, NULL)",
    "UPDATE c SET e = 2 WHERE n = 1",
    "UPDATE c SET e = 98 WHERE n = 1",
    "UPDATE c SET n = 11 WHERE n = 1",
    "UPDATE p SET note = 'x' WHERE id = 2",
    "UPDATE p SET made = now() + interval '40 days' WHERE id = 2",
    "DELETE FROM p WHERE id = 5",
    "INSERT INTO c VALUES (4, 3), (5, 3)",
    "UPDATE p SET id = 33 WHERE id = 3",
    "DELETE FROM p WHERE id = 2",
    "DELETE FROM p WHERE id = 33",
    "INSERT INTO c VALUES (6, 4)",
    "DELETE FROM p WHERE id IN (4, 6)",
    "INSERT INTO c VALUES (8, 7)",
    "DELETE FROM p WHERE id = 7",
    "UPDATE p SET id = 77 WHERE id = 7",
    "BEGIN; INSERT INTO c VALUES (9, 50); INSERT INTO p VALUES (50, now()); COMMIT",
    "BEGIN; SET CONSTRAINTS fk DEFERRED; INSERT INTO c VALUES (10, 51); INSERT INTO p VALUES "
    "(51, now()); COMMIT",
    "BEGIN; SET CONSTRAINTS fk DEFERRED; INSERT INTO c VALUES (12, 60); DELETE FROM c WHERE n = "
    "12; COMMIT",
    "BEGIN; SET CONSTRAINTS fk DEFERRED; INSERT INTO c VALUES (13, 61); UPDATE c SET e = 8 WHERE "
    "n = 13; COMMIT",
    "BEGIN; SET CONSTRAINTS fk DEFERRED; INSERT INTO c VALUES (14, 62); COMMIT",
    "INSERT INTO c VALUES (15, 9)",
    "BEGIN; DELETE FROM p WHERE id = 9; INSERT INTO p VALUES (9, now()); COMMIT",
    "BEGIN; SET CONSTRAINTS fk DEFERRED; DELETE FROM p WHERE id = 9; INSERT INTO p VALUES (9, "
    "now()); COMMIT",
    "BEGIN; SET CONSTRAINTS fk DEFERRED; UPDATE p SET id = 90 WHERE id = 9; COMMIT",
    "DELETE FROM c",
    "DELETE FROM p"};

// And of a table that refers to itself.
inline constexpr std::array kOfOne{
    "INSERT INTO p VALUES (30, now(), 30)",
    "INSERT INTO p VALUES (31, now(), 99)",
    "INSERT INTO p VALUES (32, now(), NULL)",
    "INSERT INTO p VALUES (34, now(), 35), (35, now(), 34)",
    "UPDATE p SET up = 98 WHERE id = 30",
    "UPDATE p SET up = 1 WHERE id = 30",
    "UPDATE p SET made = now() + interval '40 days' WHERE id = 2",
    "DELETE FROM p WHERE id = 9",
    "DELETE FROM p WHERE id = 20",
    "UPDATE p SET id = 33 WHERE id = 8",
    "DELETE FROM p WHERE id IN (8, 16, 17, 33)",
    "UPDATE p SET id = 50, up = 50 WHERE id = 30",
    "BEGIN; DELETE FROM p WHERE id = 5; INSERT INTO p VALUES (5, now(), NULL); COMMIT",
    "BEGIN; INSERT INTO p VALUES (60, now(), 61); INSERT INTO p VALUES (61, now(), NULL); COMMIT",
    "DELETE FROM p WHERE id = 7",
    "DELETE FROM p WHERE id <= 4",
    "TRUNCATE p",
    "INSERT INTO p VALUES (1, now(), 1), (2, now(), 1), (3, now(), 2)",
    "DELETE FROM p"};

// Users of a table that refers, while it is widened.
class Lines {
 public:
  explicit Lines(std::string conninfo) : conninfo_(std::move(conninfo)) {
    thread_ = std::thread([this] { Write(); });
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] const std::string& errors() const { return errors_; }

 private:
  void Write() {
    std::mt19937 dice(7);
    const auto pick = [&dice](int most) { return std::uniform_int_distribution(1, most)(dice); };
    try {
      Session session(conninfo_);
      while (!stopping_) {
        const int id = pick(1000);
        switch (pick(4)) {
          case 1:
            session.Exec(
                fmt::format("UPDATE events SET made = now() - interval '{} hours' WHERE "
                            "id = {}",
                            pick(500), id));
            break;
          case 2:
            session.Exec(fmt::format("UPDATE line SET event = {} WHERE id = {}", id, pick(3000)));
            break;
          case 3:
            session.Exec(fmt::format("DELETE FROM line WHERE id = {}", pick(3000)));
            break;
          default:
            session.Exec(fmt::format("INSERT INTO line (event) VALUES ({})", id));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // a load, not a storm
      }
    } catch (const SqlError& error) {
      errors_ = error.what();
    }
  }

  std::string conninfo_;
  std::atomic<bool> stopping_ = false;
  std::string errors_;
  std::thread thread_;
};

// What refers to a table that is converted: partitioned in such a way that a row which refers to
// another one moves. Full: with MATCH FULL.
enum class Referring { kPlain, kInParts, kInPartsAndFull };

struct WidenedCase {
  Referring lines;
  const char* point;
};

inline std::string NameOf(const WidenedCase& one) {
  std::string name = one.lines == Referring::kPlain     ? "Plain_"
                     : one.lines == Referring::kInParts ? "Parted_"
                                                        : "PartedInFull_";
  name += one.point;
  std::ranges::replace_if(
      name, [](char c) { return c == '-' || c == ':'; }, '_');
  return name;
}

class PartitionWidened : public Partitioned {
 protected:
  void MakeLines(Referring lines = Referring::kPlain) {
    lines_ = lines;
    MakeEvents(1000);
    database_.Sql(lines == Referring::kPlain
                      ? "CREATE TABLE line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                        "event bigint CONSTRAINT of_event REFERENCES events ON DELETE CASCADE)"
                      : fmt::format("CREATE TABLE line (id bigint GENERATED ALWAYS AS IDENTITY, "
                                    "event bigint CONSTRAINT of_event REFERENCES events{} ON "
                                    "DELETE CASCADE) PARTITION BY RANGE (event)",
                                    Full()));
    if (lines != Referring::kPlain)
      database_.Sql(
          "CREATE TABLE line_1 PARTITION OF line FOR VALUES FROM (MINVALUE) TO (400); CREATE TABLE "
          "line_2 PARTITION OF line FOR VALUES FROM (400) TO (100000) PARTITION BY HASH (id); "
          "CREATE TABLE line_2_0 PARTITION OF line_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0); "
          "CREATE TABLE line_2_1 PARTITION OF line_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1); "
          "CREATE TABLE line_default PARTITION OF line DEFAULT; CREATE INDEX ON line (id)");
    database_.Sql(
        "CREATE INDEX ON line (event); INSERT INTO line (event) SELECT g % 1000 + 1 FROM "
        "generate_series(1, 3000) g; INSERT INTO line (event) VALUES (NULL)");
  }
  [[nodiscard]] const char* Full() const {
    return lines_ == Referring::kInPartsAndFull ? " MATCH FULL" : "";
  }
  void SetUp() override {
    if (Number("SHOW server_version_num") < 150000)
      GTEST_SKIP() << "14 deletes a row that it moves: refused there";
  }
  void ExpectWide() const {
    EXPECT_EQ(StateOfRun(), "done");
    EXPECT_EQ(database_.Value("SELECT string_agg(conname || convalidated || ' ' || "
                              "pg_get_constraintdef(oid), '; ') FROM pg_constraint WHERE conrelid "
                              "= 'line'::regclass AND contype = 'f' AND conparentid = 0"),
              fmt::format("of_event_widetrue FOREIGN KEY (event, event_made) REFERENCES "
                          "events(id, made){} ON UPDATE CASCADE ON DELETE CASCADE",
                          Full()));
    EXPECT_EQ(database_.Value("SELECT count(*) = 0 FROM pg_constraint c, pg_partition_tree('line') "
                              "t WHERE conrelid = relid AND NOT convalidated"),
              "t");
    if (lines_ != Referring::kPlain) {
      EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint c, pg_partition_tree('line') t WHERE "
                       "conrelid = relid AND isleaf AND conname = 'of_event_wide' AND conparentid "
                       "<> 0"),
                parts_);
    }
    EXPECT_EQ(Number("SELECT count(*) FROM line l LEFT JOIN events e ON e.id = l.event WHERE "
                     "l.event IS NOT NULL AND l.event_made IS DISTINCT FROM e.made"),
              0);
    EXPECT_GT(Number("SELECT count(*) FROM line WHERE event_made IS NOT NULL"), 100);
  }

  Referring lines_ = Referring::kPlain;
  long parts_ = 4;  // that hold rows
};

}  // namespace pgalter::test
