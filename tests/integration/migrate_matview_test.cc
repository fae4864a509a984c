// Migrations that copy a table which a materialized view reads: the view comes along where the
// file, or who applies it, says so.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kPending = 3;

constexpr const char* kFile = "20260101000000_cluster.sql";
constexpr const char* kOfHeader = R"(-- pgalter: 1
-- title: cluster
-- rebuild_matviews: yes
-- pgalter:up
CLUSTER public.items USING items_a;
-- pgalter:down
CLUSTER public.items USING items_pkey;
)";

class MigrateMatviews : public MigrationWorld {
 protected:
  void SetUp() override {
    database_.Sql(
        "CREATE TABLE public.items (id int PRIMARY KEY, a int NOT NULL); CREATE INDEX items_a ON "
        "public.items (a); INSERT INTO public.items SELECT g, g % 10 FROM generate_series(1, 500) "
        "g; CREATE MATERIALIZED VIEW public.of_a AS SELECT a, count(*) AS n FROM public.items "
        "GROUP BY a; INSERT INTO public.items VALUES (501, 5); ANALYZE public.items");
    table_ = Table();
  }

  [[nodiscard]] std::string Table() const {
    return database_.Value("SELECT 'public.items'::regclass::oid");
  }
  // The table is another one than before, and what reads it reads that.
  void ExpectCopied(const std::string& rows) {
    EXPECT_NE(Table(), table_);
    table_ = Table();
    EXPECT_EQ(database_.Value("SELECT count(DISTINCT refobjid) || ' ' || min(refobjid) FROM "
                              "pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass "
                              "AND r.oid = d.objid WHERE r.ev_class = 'public.of_a'::regclass AND "
                              "d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class"),
              "1 " + table_);
    EXPECT_EQ(database_.Value("SELECT sum(n) FROM public.of_a"), rows);
  }
  [[nodiscard]] std::string Keep(const Words& more) const {
    Words words{"up", "--dry-run", "--output", "json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, kPending) << ran.err;
    Write("plan.json", ran.out);
    return Path("plan.json").string();
  }

  std::string table_;
};

TEST_F(MigrateMatviews, TheHeaderSaysItThereAndBack) {
  Write(kFile, kOfHeader);
  const Ran shown = Run({"up", "--dry-run"});
  EXPECT_EQ(shown.code, kPending) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("Made anew over the copy, and put in place with it: "
                                   "materialized view of_a"));
  const Ran up = Up({"--through", "contract"});
  ASSERT_EQ(up.code, kDone) << up.err;
  EXPECT_EQ(Applied(), "20260101000000 applied");
  ExpectCopied("501");
  database_.Sql("INSERT INTO public.items VALUES (502, 5)");
  const Ran down = Run({"down", "--yes"});
  ASSERT_EQ(down.code, kDone) << down.err;
  ExpectCopied("502");
}

TEST_F(MigrateMatviews, OfAFileOfAnotherFormatTheOptionSaysIt) {
  Write("V1__cluster.sql", "CLUSTER public.items USING items_a;\n");
  const Ran without = Run({"up", "--dry-run"});
  EXPECT_EQ(without.code, kPending) << without.err;
  EXPECT_THAT(without.out, HasSubstr("or have it made anew with the table: --rebuild-matviews"));
  const Ran printed = Run({"up", "--sql", "--rebuild-matviews"});
  EXPECT_EQ(printed.code, kDone) << printed.err;
  const Ran up = Up({"--rebuild-matviews", "--through", "contract"});
  ASSERT_EQ(up.code, kDone) << up.err;
  EXPECT_EQ(Applied(), "1 applied");
  ExpectCopied("501");
}

TEST_F(MigrateMatviews, APlanThatWasKeptSaysIt) {
  Write("V1__cluster.sql", "CLUSTER public.items USING items_a;\n");
  const std::string plan = Keep({"--rebuild-matviews"});
  const Ran twice = Up({"--plan", plan, "--rebuild-matviews"});
  EXPECT_EQ(twice.code, kUsage);
  EXPECT_THAT(twice.err, HasSubstr("--rebuild-matviews is for statements, and this plan is made"));
  EXPECT_EQ(Applied(), "");
  const Ran up = Up({"--plan", plan});
  ASSERT_EQ(up.code, kDone) << up.err;
  ExpectCopied("501");
}

TEST_F(MigrateMatviews, ARequestIsForThatPlan) {
  Write("V1__cluster.sql", "CLUSTER public.items USING items_a;\n");
  const Ran without = Run({"request", "1"});
  const Ran with = Run({"request", "1", "--rebuild-matviews"});
  ASSERT_EQ(with.code, kDone) << with.err;
  const auto plan = [](const Ran& ran) { return ran.out.substr(ran.out.find(", plan ")); };
  EXPECT_NE(plan(without), plan(with));
}

TEST_F(MigrateMatviews, WhatCopiesNoTableIsRefused) {
  Write(kFile, kOfHeader);
  const Ran as_written = Up({"--as-written", "--rebuild-matviews"});
  EXPECT_EQ(as_written.code, kUsage);
  EXPECT_THAT(as_written.err, HasSubstr("--rebuild-matviews and --as-written"));
  EXPECT_EQ(Run({"request", "--as-written", "--rebuild-matviews"}).code, kUsage);
  for (const char* header : {"-- rebuild_matviews: yes\n-- transaction: single\n",
                             "-- rebuild_matviews: maybe\n", "-- rebuild_matviews:\n"}) {
    Write(kFile,
          fmt::format("-- pgalter: 1\n{}-- pgalter:up\nVACUUM FULL public.items;\n", header));
    const Ran ran = Up();
    EXPECT_EQ(ran.code, kUsage) << header;
    EXPECT_THAT(ran.err, HasSubstr("rebuild_matviews")) << header;
  }
  EXPECT_EQ(Table(), table_);
}

}  // namespace
}  // namespace pgalter::test
