// Dumps of a real pg_dump, whole and broken, as `pgalter backup verify` sees them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/postgres.h"
#include "tests/support/program.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kMismatch = 7;

class Backup : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(SharedServer().bin_dir() / "pg_dump"))
      GTEST_SKIP() << "this server comes without pg_dump";
    std::string made = (fs::temp_directory_path() / "pgalter-backup-XXXXXX").string();
    folder_ = mkdtemp(made.data());
    database_.Sql(
        "CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g, "
        "repeat('n', "
        "50) FROM generate_series(1, 5000) g; CREATE VIEW big AS SELECT * FROM orders WHERE id > "
        "100; "
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backup_reader') THEN "
        "CREATE "
        "ROLE backup_reader; END IF; END $$; GRANT SELECT ON orders TO backup_reader");
  }
  ~Backup() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string Dump(const std::string& format) const {
    const std::string file = (folder_ / ("dump." + format)).string();
    const std::string command =
        fmt::format("'{}' -F{} -f '{}' -d '{}'", (SharedServer().bin_dir() / "pg_dump").string(),
                    format, file, database_.conninfo());
    EXPECT_EQ(std::system(command.c_str()), 0);
    return file;
  }
  static Ran Verify(const std::string& file, Words more = {}) {
    more.insert(more.begin(), {"backup", "verify", file});
    return Program(PGALTER_BINARY, more).Wait(std::chrono::seconds(120));
  }
  FreshDatabase database_;
  fs::path folder_;
};

TEST_F(Backup, EachFormatIsRestoredAndCounted) {
  std::string schema;
  for (const char* format : {"p", "c", "d", "t"}) {
    const Ran ran = Verify(Dump(format), {"--expect-rows", "public.orders=5000"});
    EXPECT_EQ(ran.code, kDone) << format << ran.out << ran.err;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("public.orders"), HasSubstr("5000"),
                               HasSubstr("all of it was restored")));
    // The same schema, whatever the format.
    const std::string sum = ran.out.substr(ran.out.find("schema "));
    if (schema.empty()) schema = sum;
    EXPECT_EQ(sum, schema) << format;
  }
}

TEST_F(Backup, WhatWasCutOffIsFound) {
  for (const char* format : {"p", "c", "t"}) {
    const std::string file = Dump(format);
    fs::resize_file(file, fs::file_size(file) * 2 / 3);
    const Ran ran = Verify(file);
    EXPECT_EQ(ran.code, kMismatch) << format << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("not all of it was restored"));
  }
}

// pg_restore itself takes the end of the file for the end of the rows.
TEST_F(Backup, AFileOfADirectoryThatWasCutOffIsFound) {
  for (const char* compression : {"0", "6"}) {
    const fs::path made = folder_ / (std::string("d") + compression);
    const std::string command = fmt::format("'{}' -Fd -Z{} -f '{}' -d '{}'",
                                            (SharedServer().bin_dir() / "pg_dump").string(),
                                            compression, made.string(), database_.conninfo());
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(Verify(made.string()).code, kDone);
    for (const fs::directory_entry& file : fs::directory_iterator(made))
      if (file.path().filename() != "toc.dat")
        fs::resize_file(file.path(), fs::file_size(file.path()) / 2);
    const Ran ran = Verify(made.string());
    EXPECT_EQ(ran.code, kMismatch) << compression << ran.out << ran.err;
  }
}

// Between two statements: all that is there goes in.
TEST_F(Backup, APlainDumpWithoutItsEndIsFound) {
  const std::string file = Dump("p");
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::ofstream(file) << text.substr(0, text.find("-- Name: orders orders_pkey"));
  const Ran ran = Verify(file);
  EXPECT_EQ(ran.code, kMismatch) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("it was cut off"));
}

TEST_F(Backup, FewerRowsThanExpectedAreFound) {
  const std::string file = Dump("c");
  EXPECT_EQ(Verify(file, {"--expect-rows", "public.orders=5001"}).code, kMismatch);
  EXPECT_EQ(Verify(file, {"--expect-rows", "public.nothing=1"}).code, kMismatch);
  EXPECT_EQ(Verify(file, {"--expect-rows", "public.orders"}).code, kUsage);
}

TEST_F(Backup, WhatIsNoDumpIsSaidToBeNone) {
  const auto refused = [this](const std::string& bytes) {
    const std::string file = (folder_ / "other").string();
    std::ofstream(file, std::ios::binary) << bytes;
    const Ran ran = Verify(file);
    EXPECT_EQ(ran.code, kUsage) << ran.out << ran.err;
    return ran.err;
  };
  EXPECT_THAT(refused("SELECT 1;\n"), HasSubstr("is no dump of PostgreSQL"));
  EXPECT_THAT(refused(""), HasSubstr("is no dump of PostgreSQL"));
  EXPECT_THAT(refused("\x1f\x8b\x08"), HasSubstr("is compressed"));
  EXPECT_EQ(Verify((folder_ / "nowhere").string()).code, kUsage);
}

// The commands are run as they are printed.
TEST_F(Backup, TheRestorePlanOfEachFormatRestoresIt) {
  const std::string bin = SharedServer().bin_dir().string();
  if (!fs::exists(fs::path(bin) / "createdb")) GTEST_SKIP() << "this server comes without createdb";
  const std::string name = "it's \"restored\" " + std::to_string(getpid());
  for (const char* format : {"p", "c", "d", "t"}) {
    const std::string dump = Dump(format);
    const Ran plan =
        Program(PGALTER_BINARY, {"backup", "restore-plan", dump, "--database", name}).Wait();
    ASSERT_EQ(plan.code, kDone) << plan.err;
    std::ofstream(folder_ / "restore.sh") << plan.out;
    // Where to connect is the operator's: PGHOST and its kin.
    const std::string run = fmt::format(
        "export PATH='{}':$PATH PGHOST='{}' PGPORT={} PGUSER=postgres; sh '{}'", bin,
        database_.Value("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)"),
        database_.Value("SELECT current_setting('port')"), (folder_ / "restore.sh").string());
    EXPECT_EQ(std::system(run.c_str()), 0) << format << plan.out;
    // A second time the database is there: nothing is mixed into it.
    EXPECT_NE(std::system((run + " 2>/dev/null").c_str()), 0) << format;
    const std::string psql = fmt::format(
        "PGHOST='{}' PGPORT={} PGUSER=postgres '{}/psql' -X -At -d \"{}\" -c 'SELECT count(*) FROM "
        "orders' > '{}'",
        database_.Value("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)"),
        database_.Value("SELECT current_setting('port')"), bin,
        "it's \\\"restored\\\" " + std::to_string(getpid()), (folder_ / "count").string());
    EXPECT_EQ(std::system(psql.c_str()), 0);
    std::string count;
    std::ifstream(folder_ / "count") >> count;
    EXPECT_EQ(count, "5000") << format;
    database_.Sql("DROP DATABASE \"it's \"\"restored\"\" " + std::to_string(getpid()) + "\"");
  }
}

TEST_F(Backup, ADumpThatWasCutOffHasNoRestorePlan) {
  const std::string file = Dump("p");
  fs::resize_file(file, fs::file_size(file) * 2 / 3);
  const Ran ran = Program(PGALTER_BINARY, {"backup", "restore-plan", file}).Wait();
  EXPECT_EQ(ran.code, kMismatch);
  EXPECT_THAT(ran.err, HasSubstr("cut off"));
}

}  // namespace
}  // namespace pgalter::test
