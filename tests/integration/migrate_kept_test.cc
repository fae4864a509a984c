// `pgalter up --plan`: what was looked at is what is begun, or nothing is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kPending = 3;
constexpr int kRefused = 4;

class KeptUp : public MigrationWorld {
 protected:
  void SetUp() override { WriteOrders(); }
  // Not among the migrations: those of the directory end in .sql.
  [[nodiscard]] std::string Keep(const Words& more = {}) const {
    Words words{"up", "--dry-run", "--output", "json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, kPending) << ran.err;
    Write("plan.json", ran.out);
    return Path("plan.json").string();
  }
};

TEST_F(KeptUp, IsAppliedAsItWasLookedAt) {
  const std::string plan = Keep();
  const Ran ran = Up({"--plan", plan});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "20260101000000 applied, 20260102000000 applied, 20260103000000 applied");
  const Ran again = Up({"--plan", plan});
  EXPECT_EQ(again.code, kDone) << again.err;
  EXPECT_THAT(again.out, HasSubstr("nothing to apply"));
}

TEST_F(KeptUp, GoesOnAfterItWasKilled) {
  const std::string plan = Keep();
  const Ran killed =
      Run({"up", "--yes", "--plan", plan}, {"PGALTER_FAIL_POINT=migration-created:2"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const Ran again = Up({"--plan", plan});
  EXPECT_EQ(again.code, kDone) << again.err;
  EXPECT_EQ(Applied(), "20260101000000 applied, 20260102000000 applied, 20260103000000 applied");
}

TEST_F(KeptUp, IsRefusedOnceTheDirectoryIsAnother) {
  const std::string plan = Keep();
  Write("20260104000000_late.sql", "-- pgalter: 1\n-- pgalter:up\nCREATE TABLE public.late ();\n");
  const Ran more = Up({"--plan", plan});
  EXPECT_EQ(more.code, kRefused) << more.err;
  EXPECT_THAT(more.err, HasSubstr("20260104000000_late.sql is to be applied, and is not in"));
  Remove("20260104000000_late.sql");
  Remove("20260103000000_strict.sql");
  const Ran fewer = Up({"--plan", plan});
  EXPECT_EQ(fewer.code, kRefused) << fewer.err;
  EXPECT_THAT(fewer.err, HasSubstr("20260103000000 is in the plan that was kept"));
  EXPECT_EQ(Applied(), "");
}

TEST_F(KeptUp, IsRefusedOnceAStepIsAnother) {
  const std::string plan = Keep({"--count", "1"});
  Write("20260101000000_orders.sql",
        "-- pgalter: 1\n-- pgalter:up\nCREATE TABLE public.orders (id int PRIMARY KEY);\n");
  const Ran edited = Up({"--count", "1", "--plan", plan});
  EXPECT_EQ(edited.code, kRefused) << edited.err;
  EXPECT_THAT(edited.err, HasSubstr("would not be carried out as in the plan that was kept: step"));
  EXPECT_EQ(Applied(), "");
  // The file is as it was, the table another: an index more is rebuilt with it.
  WriteOrders();
  ASSERT_EQ(Up({"--count", "1"}).code, kDone);
  Write("20260102000000_total.sql",
        "-- pgalter: 1\n-- pgalter:up\nALTER TABLE public.orders ALTER COLUMN note TYPE int USING "
        "1;\n");
  Remove("20260103000000_strict.sql");
  const std::string change = Keep();
  database_.Sql("CREATE INDEX note_idx ON public.orders (note)");
  EXPECT_EQ(Up({"--plan", change}).code, kRefused);
  database_.Sql("DROP INDEX public.note_idx");
  const Ran ran = Up({"--plan", change});
  EXPECT_EQ(ran.code, kDone) << ran.err;
}

TEST_F(KeptUp, AFileThatHoldsNoneIsNamed) {
  EXPECT_EQ(Up({"--plan", Path("none.json").string()}).code, kUsage);
  for (const char* text : {"", "{}", "[1]", R"({"migrations":[{"version":"1"}]})",
                           R"({"migrations":[{"version":"1","plan":{"version":9}}]})"}) {
    Write("odd.json", text);
    const Ran ran = Up({"--plan", Path("odd.json").string()});
    EXPECT_EQ(ran.code, kUsage) << text;
    EXPECT_THAT(ran.err, HasSubstr("odd.json: ")) << text;
    EXPECT_THAT(ran.err, HasSubstr("hint: pgalter up --dry-run --output json")) << text;
  }
  const std::string plan = Keep();
  EXPECT_EQ(Run({"up", "--dry-run", "--plan", plan}).code, kUsage);
  EXPECT_EQ(Applied(), "");
}

}  // namespace
}  // namespace pgalter::test
