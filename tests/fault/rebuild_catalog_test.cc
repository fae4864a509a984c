// What is asked under the locks comes by indexes of the catalogs: users wait no longer where there
// are a hundred thousand other tables.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <optional>
#include <regex>
#include <sstream>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

// Those that grow with the tables of a database.
constexpr std::array<std::string_view, 10> kLarge{
    "pg_attrdef", "pg_attribute", "pg_class",   "pg_constraint", "pg_depend",
    "pg_index",   "pg_proc",      "pg_rewrite", "pg_trigger",    "pg_type"};

// A line of the server's log that begins an entry.
struct Entry {
  std::string pid;
  std::string text;
};

std::optional<Entry> EntryIn(const std::string& line) {
  static const std::regex kEntry(R"(^\S+ \S+ \S+ \[(\d+)\] (.*))");
  std::smatch parts;
  if (!std::regex_match(line, parts, kEntry)) return std::nullopt;
  return Entry{parts[1], parts[2]};
}

// Of one session, from its lock on the table to the end of that transaction: the last such one.
std::vector<std::string> PlansUnderLock(const std::string& log, const std::string& table) {
  std::vector<std::string> lines;
  std::string holder;
  bool of_holder = false;
  std::istringstream text(log);
  for (std::string line; std::getline(text, line);) {
    const std::optional<Entry> entry = EntryIn(line);
    if (entry) {
      of_holder = entry->pid == holder;
      const bool locks = entry->text.find("LOCK TABLE " + table) != std::string::npos &&
                         entry->text.find("ACCESS EXCLUSIVE") != std::string::npos;
      if (locks) {
        holder = entry->pid;
        lines.clear();
      } else if (of_holder && entry->text.ends_with(": COMMIT")) {
        holder.clear();
      }
    }
    if (!entry && of_holder && !holder.empty()) lines.push_back(line);
  }
  return lines;
}

// Scans of a large catalog, but for those by a condition on an index of it.
std::vector<std::string> WholeScans(const std::vector<std::string>& plans) {
  static const std::regex kScan(R"(.*(Seq Scan|Index Scan using \S+|Index Only Scan using \S+))"
                                R"( on (\w+).*)");
  std::vector<std::string> scans;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    std::smatch parts;
    if (!std::regex_match(plans[i], parts, kScan)) continue;
    const bool large = std::ranges::find(kLarge, parts[2].str()) != kLarge.end();
    const bool whole = parts[1] == "Seq Scan" || i + 1 == plans.size() ||
                       plans[i + 1].find("Index Cond:") == std::string::npos;
    if (large && whole) scans.push_back(plans[i]);
  }
  return scans;
}

class RebuildCatalog : public RebuildWorld {
 protected:
  // Tables of others, what the catalogs hold of them counted, and plans in the server's log.
  void MakeOthers() const {
    database_.Sql(
        "DO $$BEGIN FOR i IN 1..400 LOOP EXECUTE format("
        "'CREATE TABLE other_%s (id int PRIMARY KEY, a int DEFAULT 1 CHECK (a > 0))', i);"
        " END LOOP; END$$");
    for (const std::string_view catalog : kLarge) database_.Sql(fmt::format("ANALYZE {}", catalog));
    database_.Sql(
        fmt::format("ALTER DATABASE {0} SET session_preload_libraries = auto_explain;"
                    "ALTER DATABASE {0} SET auto_explain.log_min_duration = 0;"
                    "ALTER DATABASE {0} SET log_statement = 'all'",
                    database_.name()));
  }

  static void ExpectByIndexes(const std::string& table) {
    const auto plans = PlansUnderLock(SharedServer().log_tail(1'000'000), table);
    EXPECT_GT(plans.size(), 100U);
    EXPECT_THAT(WholeScans(plans), ::testing::IsEmpty());
  }
};

TEST_F(RebuildCatalog, WhatIsAskedAtACutOverComesByIndexes) {
  MakeRebuilt(500);
  MakeOthers();
  const Ran there = Run(Partition());
  ASSERT_EQ(there.code, 0) << there.err;
  ExpectByIndexes("public.items");
}

TEST_F(RebuildCatalog, AndOnTheWayBack) {
  MakeRebuilt(500);
  const Ran there = Run(Partition());
  ASSERT_EQ(there.code, 0) << there.err;
  MakeOthers();
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  ExpectByIndexes("public.items");
}

TEST_F(RebuildCatalog, AndWhereATableIsAttached) {
  database_.Sql(
      "CREATE TABLE logs (id bigint, made date NOT NULL, PRIMARY KEY (id, made));"
      "CREATE INDEX ON logs (made);"
      "INSERT INTO logs SELECT n, date '2026-01-01' + n % 20 FROM generate_series(1, 200) n");
  MakeOthers();
  const Ran ran = Run({"partition", "convert", "logs", "--by", "range(made)", "--every", "1 month",
                       "--strategy", "attach", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectByIndexes("public.logs");
}

}  // namespace
}  // namespace pgalter::test
