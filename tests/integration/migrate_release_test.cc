// The trigger of a backfill keeps rows in step for old programs. It has to be gone before the
// columns go that it reads, and as soon as new programs write by themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

constexpr int kDone = 0;

class MigrateRelease : public MigrationWorld {
 protected:
  void SetUp() override {
    Write("1_person.sql", R"(-- pgalter: 1
-- pgalter:up
CREATE TABLE public.person (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, first text, last text);
INSERT INTO public.person (first, last) SELECT 'a' || g, 'b' || g FROM generate_series(1, 500) g;
-- pgalter:down
DROP TABLE public.person;
)");
  }
  void WriteNames(const std::string& gate) const {
    Write("2_names.sql", R"sql(-- pgalter: 1
-- pgalter:up
ALTER TABLE public.person ADD COLUMN full_name text;
-- pgalter:backfill table=public.person set="full_name = concat_ws(' ', first, last)"
)sql" + gate + R"sql(
ALTER TABLE public.person DROP COLUMN first;
-- pgalter:verify
SELECT bool_and(full_name IS NOT NULL) FROM public.person;
-- pgalter:down
ALTER TABLE public.person ADD COLUMN first text;
ALTER TABLE public.person DROP COLUMN full_name;
)sql");
  }
  [[nodiscard]] std::string RunId() const {
    return database_.Value("SELECT run FROM pgalter.migration WHERE version = '2'");
  }
  [[nodiscard]] Ran Resume(const std::string& gate) const {
    return Program(PGALTER_BINARY,
                   {"resume", RunId(), "--gate", gate, "--dsn", database_.conninfo()})
        .Wait(std::chrono::seconds(120));
  }
  [[nodiscard]] std::string Inserted(const std::string& columns, const std::string& values) const {
    return database_.Value("INSERT INTO public.person (" + columns + ") VALUES (" + values +
                           ") RETURNING full_name");
  }
  [[nodiscard]] std::string Triggers() const {
    return database_.Value(
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.person'::regclass");
  }
  [[nodiscard]] std::string Kept() const {
    return database_.Value("SELECT count(*) FROM pgalter.artefact WHERE run = '" + RunId() +
                           "' AND dropped_at IS NULL");
  }
  void ExpectAtItsEnd() const {
    EXPECT_EQ(Up().code, kDone);
    EXPECT_EQ(Applied(), "1 applied, 2 applied");
    EXPECT_EQ(Kept(), "0");
    EXPECT_EQ(database_.Value("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute"
                              " WHERE attrelid = 'public.person'::regclass AND attnum > 0 AND NOT"
                              " attisdropped"),
              "id last full_name");
  }
};

TEST_F(MigrateRelease, OldAndNewProgramsWriteUntilTheOldColumnGoes) {
  WriteNames("-- pgalter:gate app-deployed\n-- pgalter:contract");
  ASSERT_EQ(Up().code, kDone);
  EXPECT_EQ(Inserted("first, last", "'o', 'ld'"), "o ld");
  ASSERT_EQ(Resume("app-deployed").code, kDone);
  EXPECT_EQ(Triggers(), "0");
  EXPECT_EQ(Inserted("first, last, full_name", "'b', 'oth', 'Both of us'"), "Both of us");
  ASSERT_EQ(Resume("unused-first").code, kDone);
  EXPECT_EQ(Inserted("last, full_name", "'ew', 'New'"), "New");
  ASSERT_EQ(Resume("missed-first").code, kDone);
  ExpectAtItsEnd();
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.person WHERE full_name IN"
                            " ('o ld', 'Both of us', 'New', 'a1 b1')"),
            "4");
}

TEST_F(MigrateRelease, WithoutAGateOfItsAuthorOneAsks) {
  WriteNames("-- pgalter:up");
  ASSERT_EQ(Up().code, kDone);
  EXPECT_EQ(Inserted("first, last", "'o', 'ld'"), "o ld");
  for (const char* gate : {"new-columns-written", "unused-first", "missed-first"}) {
    const Ran ran = Resume(gate);
    ASSERT_EQ(ran.code, kDone) << gate << ran.err;
    EXPECT_EQ(Triggers(), "0");
    EXPECT_EQ(Inserted("last, full_name", "'ew', 'New'"), "New") << gate;
  }
  ExpectAtItsEnd();
}

TEST_F(MigrateRelease, RehearsedAndAsWrittenItIsTheSame) {
  WriteNames("-- pgalter:contract");
  const Ran ran = Run({"rehearse"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Up({"--as-written"}).code, kDone);
  ExpectAtItsEnd();
}

// A table that old programs write goes on as before for them.
TEST_F(MigrateRelease, WhatIsTakenBackKeepsRowsInStepAgain) {
  WriteNames("-- pgalter:contract");
  ASSERT_EQ(Up().code, kDone);
  ASSERT_EQ(Resume("contract").code, kDone);
  ASSERT_EQ(Resume("unused-first").code, kDone);
  EXPECT_EQ(Triggers(), "0");
  const Words revert{"revert", RunId(), "--yes", "--dsn", database_.conninfo()};
  // The renaming, with the gate before it, and the release, with its own.
  const Ran killed = Program(PGALTER_BINARY, revert, {"PGALTER_FAIL_POINT=undo-recorded:2"}).Wait();
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  EXPECT_EQ(Inserted("first, last", "'o', 'ld'"), "o ld");
  const Ran again = Program(PGALTER_BINARY, revert).Wait();
  EXPECT_EQ(again.code, kDone) << again.err;
  EXPECT_EQ(Triggers(), "0");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pg_attribute WHERE attrelid ="
                            " 'public.person'::regclass AND attname = 'full_name'"),
            "0");
}

class KilledRelease : public MigrateRelease, public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledRelease, GoesOnWithoutTheTrigger) {
  WriteNames("-- pgalter:gate app-deployed\n-- pgalter:contract");
  ASSERT_EQ(Up().code, kDone);
  const Ran killed = Run({"up", "--yes", "--through", "contract"},
                         {std::string("PGALTER_FAIL_POINT=") + GetParam()});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const Ran ran = Up({"--through", "contract"});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("waiting at missed-first 2"));
  EXPECT_EQ(Triggers(), "0");
  EXPECT_EQ(Kept(), "0");
  EXPECT_EQ(Inserted("last, full_name", "'ew', 'New'"), "New");
}

// Behind the gate, which is a step as well.
INSTANTIATE_TEST_SUITE_P(Points, KilledRelease,
                         ::testing::Values("step-started:2", "step-done-unrecorded:2",
                                           "step-recorded:2", "step-started:3", "ddl-uncommitted"));

}  // namespace
}  // namespace pgalter::test
