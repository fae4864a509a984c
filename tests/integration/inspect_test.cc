// `pgalter inspect tables|indexes|constraints` on a real server: what it says of each, and that it
// waits for nobody.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/pty.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Inspect : public ::testing::Test {
 protected:
  [[nodiscard]] Ran Run(Words words) const {
    words.insert(words.begin(), "inspect");
    words.insert(words.end(), {"--dsn", database_.conninfo()});
    return Program(PGALTER_BINARY, words).Wait(std::chrono::seconds(60));
  }
  [[nodiscard]] std::string Text(const Words& words) const {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.out;
  }
  // 77: nothing here can judge a schema.
  static void ExpectValid(const std::string& what, const std::string& text) {
    const std::string file = ::testing::TempDir() + "pgalter-inspect.json";
    std::ofstream(file) << text;
    const int status =
        std::system(fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/{1}.json' '{2}'",
                                PGALTER_SOURCE_DIR, what, file)
                        .c_str());
    EXPECT_THAT(WEXITSTATUS(status), ::testing::AnyOf(0, 77)) << text;
  }

  FreshDatabase database_;
};

TEST_F(Inspect, TheLargestTableComesFirstAndNotesSayWhatIsWrong) {
  database_.Sql(
      "CREATE TABLE small (id int PRIMARY KEY);"
      "CREATE TABLE \"Keyless One\" (id int UNIQUE);"
      "CREATE UNLOGGED TABLE large (id int, part int, PRIMARY KEY (part, id));"
      "INSERT INTO large SELECT g, 1 FROM generate_series(1, 5000) g;"
      "DELETE FROM large WHERE id % 2 = 0; ANALYZE large");
  database_.AwaitValue("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'large'", "2500",
                       std::chrono::seconds(30));
  const std::string text = Text({"tables"});
  EXPECT_LT(text.find("public.large"), text.find("public.small"));
  EXPECT_THAT(text, HasSubstr("part, id"));
  EXPECT_THAT(text, HasSubstr("note: public.large: 50.0 % of its rows are dead"));
  EXPECT_THAT(text, HasSubstr("note: public.large: is UNLOGGED"));
  EXPECT_THAT(text, HasSubstr("note: public.\"Keyless One\": no primary key"));
  EXPECT_THAT(text, HasSubstr("note: public.small: was never analysed"));
  EXPECT_THAT(Text({"tables", "--most", "1"}), HasSubstr("... and 2 more"));
  EXPECT_THAT(Text({"tables", "large"}), Not(HasSubstr("public.small")));
  ExpectValid("tables", Text({"tables", "--output", "json"}));
}

TEST_F(Inspect, AnIndexThatNobodyNeedsIsNamedWithItsReason) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, a int, b int);"
      "INSERT INTO t SELECT g, g, g FROM generate_series(1, 1000) g;"
      "CREATE INDEX short ON t (a); CREATE INDEX long ON t (a, b);"
      "CREATE INDEX other_order ON t (a DESC); CREATE INDEX partial ON t (a) WHERE b > 5;"
      "CREATE INDEX with_b ON t (id) INCLUDE (b); CREATE UNIQUE INDEX twin ON t (id);"
      "CREATE INDEX expr ON t ((a + b)); CREATE INDEX expr_twin ON t ((a + b));"
      "CREATE INDEX hashed ON t USING hash (a);"
      "SET enable_seqscan = off; SELECT * FROM t WHERE a = 5 AND b = 5;"
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'partial'::regclass");
  database_.AwaitValue("SELECT idx_scan > 0 FROM pg_stat_user_indexes WHERE indexrelname = 'long'",
                       "t", std::chrono::seconds(30));
  const std::string text = Text({"indexes", "public.t"});
  EXPECT_THAT(text,
              HasSubstr("note: public.short: public.long serves the same queries: pgalter run "
                        "--sql 'DROP INDEX public.short'"));
  EXPECT_THAT(text, HasSubstr("note: public.twin: public.t_pkey serves the same queries"));
  EXPECT_THAT(text, HasSubstr("note: public.expr_twin: public.expr serves the same queries"));
  EXPECT_THAT(text, HasSubstr("note: public.other_order: nobody has used it on this server"));
  EXPECT_THAT(text, HasSubstr("note: public.hashed: nobody has used it"));
  EXPECT_THAT(text, HasSubstr("note: public.partial: is not valid"));
  // It has a column more than the key's index.
  EXPECT_THAT(text, HasSubstr("note: public.with_b: nobody has used it"));
  for (const char* kept : {"public.long:", "public.t_pkey:"})
    EXPECT_THAT(text, Not(HasSubstr(std::string("note: ") + kept)));
  ExpectValid("indexes", Text({"indexes", "--output", "json"}));
}

TEST_F(Inspect, ConstraintsThatHoldNotForAllRowsAndKeysWithoutAnIndex) {
  database_.Sql(
      "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));"
      "CREATE TABLE child (a int, b int, c int, FOREIGN KEY (a, b) REFERENCES parent);"
      "CREATE TABLE indexed (a int, b int, FOREIGN KEY (a, b) REFERENCES parent);"
      "CREATE INDEX ON indexed (b, a); CREATE INDEX ON child (a, c);"
      "ALTER TABLE child ADD CONSTRAINT \"Odd\" CHECK (c > 0) NOT VALID");
  const std::string text = Text({"constraints"});
  EXPECT_THAT(text, HasSubstr("note: \"Odd\" on public.child: is not validated"));
  EXPECT_THAT(text, HasSubstr("VALIDATE CONSTRAINT \"Odd\"'"));
  EXPECT_THAT(text, HasSubstr("note: child_a_b_fkey on public.child: no index begins with"));
  EXPECT_THAT(text, Not(HasSubstr("note: indexed_a_b_fkey")));
  ExpectValid("constraints", Text({"constraints", "--output", "json"}));
}

TEST_F(Inspect, ATableThatSomebodyHoldsIsNotWaitedFor) {
  database_.Sql(
      "CREATE TABLE held (id int PRIMARY KEY); INSERT INTO held SELECT generate_series(1, 1000);"
      "ANALYZE held");
  Session holder(database_.conninfo());
  holder.Exec("BEGIN; LOCK TABLE held");
  holder.Exec("LOCK TABLE held IN ACCESS EXCLUSIVE MODE");
  EXPECT_THAT(Text({"tables"}), HasSubstr("public.held"));
  EXPECT_THAT(Text({"indexes"}), HasSubstr("public.held_pkey"));
  EXPECT_THAT(Text({"constraints"}), HasSubstr("held_pkey"));
}

TEST_F(Inspect, PartitionsComeWithTheirTable) {
  database_.Sql(
      "CREATE TABLE whole (a int PRIMARY KEY) PARTITION BY RANGE (a);"
      "CREATE TABLE one PARTITION OF whole FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE apart (a int)");
  const std::string text = Text({"tables", "whole"});
  EXPECT_THAT(text, AllOf(HasSubstr("public.whole"), HasSubstr("public.one"),
                          Not(HasSubstr("public.apart"))));
  // A part of the whole's index is needed, used or not.
  EXPECT_THAT(Text({"indexes", "whole"}), Not(HasSubstr("note:")));
}

TEST_F(Inspect, APictureIsAsWideAsItsTerminal) {
  database_.Sql(
      "CREATE TABLE whole (a int) PARTITION BY RANGE (a);"
      "CREATE TABLE one PARTITION OF whole FOR VALUES FROM (0) TO (10)");
  const Words words{"inspect", "partitions", "whole", "--dsn", database_.conninfo()};
  const auto width_of = [](const std::string& text) {
    const std::size_t from = text.find("one |");
    return from == std::string::npos ? 0 : text.find_first_of("\r\n", from) - from;
  };
  const auto on_terminal = [&](const std::string& columns) {
    Pty pty(PGALTER_BINARY, words, {columns}, 110);
    pty.Await([](const std::string& said) { return said.find("note: ranges") != said.npos; });
    EXPECT_EQ(pty.Wait(), 0) << pty.said();
    return width_of(pty.said());
  };
  EXPECT_EQ(on_terminal("COLUMNS="), 110U);
  EXPECT_EQ(on_terminal("COLUMNS=60"), 60U);
  const Ran piped = Program(PGALTER_BINARY, words, {"COLUMNS="}).Wait(std::chrono::seconds(60));
  EXPECT_EQ(width_of(piped.out), 80U) << piped.err;
}

TEST_F(Inspect, WhatIsNotKnownIsRefused) {
  EXPECT_EQ(Run({"views"}).code, 2);
  const Ran missing = Run({"tables", "nowhere"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("there is no table nowhere"));
  EXPECT_EQ(Run({"tables", "a.b.c.d"}).code, 2);
  EXPECT_EQ(Run({"tables", "--most", "0"}).code, 2);
}

}  // namespace
}  // namespace pgalter::test
