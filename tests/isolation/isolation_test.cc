// What concurrent transactions see, by PostgreSQL's own isolationtester: one spec, one output.
// PGALTER_UPDATE_SNAPSHOTS=1 writes the outputs anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/postgres.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;

const fs::path kRoom = fs::path(PGALTER_SOURCE_DIR) / "tests" / "isolation";

std::string ReadFile(const fs::path& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Specs() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kRoom / "specs"))
    names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

class Isolation : public ::testing::TestWithParam<std::string> {};

TEST_P(Isolation, OutputIsAsExpected) {
  const fs::path tester =
      SharedServer().bin_dir().parent_path() / "lib/pgxs/src/test/isolation/isolationtester";
  if (!fs::exists(tester)) GTEST_SKIP() << tester << " is not installed";
  const FreshDatabase database;
  const fs::path output = fs::temp_directory_path() / fmt::format("{}.out", database.name());
  const std::string line =
      fmt::format("{} '{}' <{} >{} 2>&1", tester.string(), database.conninfo(),
                  (kRoom / "specs" / (GetParam() + ".spec")).string(), output.string());
  EXPECT_EQ(std::system(line.c_str()), 0);
  const std::string got = ReadFile(output);
  fs::remove(output);
  const fs::path expected = kRoom / "expected" / (GetParam() + ".out");
  if (std::getenv("PGALTER_UPDATE_SNAPSHOTS") != nullptr) std::ofstream(expected) << got;
  EXPECT_EQ(got, ReadFile(expected));
}

INSTANTIATE_TEST_SUITE_P(Specs, Isolation, ::testing::ValuesIn(Specs()),
                         [](const auto& spec) { return spec.param; });

}  // namespace
}  // namespace pgalter::test
