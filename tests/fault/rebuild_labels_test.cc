// Security labels of a table and of its columns, there and back. The provider is a module of the
// tests, for servers of version 15.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/fault/rebuild_world.h"
#include "tests/fault/schema_dump.h"
#include "tests/support/scratch_folder.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Labels : public RebuildWorld {
 protected:
  void SetUp() override {
    if (Number("SELECT current_setting('server_version_num')::int / 10000") != 15)
      GTEST_SKIP() << "the module is for servers of version 15";
    // The server is another user.
    const fs::path folder = SharedFolder().path();
    const fs::path module = folder / "label_provider.so";
    fs::copy_file(PGALTER_LABEL_PROVIDER, module, fs::copy_options::skip_existing);
    for (const fs::path& opened : {folder, module}) fs::permissions(opened, fs::perms{0755});
    database_.Sql(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_preload_libraries = "
        "%L', current_database(), '" +
        module.string() + "'); END $$");
    MakeRebuilt(300);
    Session labels = database_.Connect();
    labels.Exec(
        "SECURITY LABEL FOR shelf ON TABLE items IS 'the table''s';"
        "SECURITY LABEL FOR shelf ON COLUMN items.a IS 'of a';"
        "SECURITY LABEL FOR shelf ON COLUMN items.u IS 'of u'");
  }

  [[nodiscard]] std::string All() const {
    return database_.Value(
        "SELECT string_agg(format('%s %s: %s', objtype, objname, label), ', ' ORDER BY objname) "
        "FROM pg_seclabels WHERE objname IN ('items', 'items.a', 'items.aa', 'items.u')");
  }
};

TEST_F(Labels, AreThoseOfTheNewTableAndOfTheOldOneAgain) {
  const auto before = Dump(database_);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  const std::string all = "table items: the table's, column items.a: of a, column items.u: of u";
  EXPECT_EQ(All(), all);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(All(), all);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
}

// Labels of columns that go, come or are called otherwise, and those that somebody changes.
TEST_F(Labels, FollowTheirColumnsAndWhoeverChangesThem) {
  const Ran ran = Run({"rebuild", "items", "--alter", "DROP u, DROP a, ADD aa int, ADD n int",
                       "--map", "aa = a", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(All(), "table items: the table's, column items.aa: of a");
  Session labels = database_.Connect();
  labels.Exec(
      "SECURITY LABEL FOR shelf ON TABLE items IS 'later';"
      "SECURITY LABEL FOR shelf ON COLUMN items.n IS 'of another';"
      "SECURITY LABEL FOR shelf ON COLUMN items.aa IS NULL");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(All(), "table items: later, column items.u: of u");
}

TEST_F(Labels, OfAProviderThatIsNotLoadedAreRefused) {
  database_.Sql(
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET session_preload_libraries', "
      "current_database()); END $$");
  const Ran ran = Run(Rebuild());
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("security label provider \"shelf\" is not loaded"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter_%'"), 0);
}

TEST_F(Labels, AreNotGivenToPartitionsSoTheseAreRefused) {
  const Ran ran = Run(Partition());
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("label of provider shelf, which its partitions would not have"));
  const Ran converted = Run({"partition", "convert", "items", "--by", "hash(id)", "--modulus", "2",
                             "--strategy", "copy", "--allow-weaker-keys", "--yes"});
  EXPECT_EQ(converted.code, 4);
  EXPECT_THAT(converted.err, HasSubstr("which its partitions would not have"));
}

// Whoever sets one while the copy is on its way stops the cut-over.
TEST_F(Labels, OfATableThatBecomesPartitionedAreAskedForUnderTheLock) {
  const char* const drop =
      "SECURITY LABEL FOR shelf ON TABLE items IS NULL;"
      "SECURITY LABEL FOR shelf ON COLUMN items.a IS NULL;"
      "SECURITY LABEL FOR shelf ON COLUMN items.u IS NULL";
  Session labels = database_.Connect();
  labels.Exec(drop);
  ASSERT_EQ(Run(Partition(), {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
  AwaitNoRunner();
  labels.Exec("SECURITY LABEL FOR shelf ON TABLE items IS 'meanwhile'");
  const Ran refused = Run({"resume", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("which its partitions would not have"));
  labels.Exec(drop);
  EXPECT_EQ(Run({"resume", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE oid = 'items'::regclass AND relkind = 'p'"),
            1);
}

}  // namespace
}  // namespace pgalter::test
