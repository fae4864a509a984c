// One partition at a time: made, attached, detached, under their users; and what is said of all.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class PartitionVerbs : public BackfillWorld {
 protected:
  // The ranges 0 to 100 and 200 to 300, and a row in the first.
  void MakeRanges(bool with_default = false) const {
    database_.Sql(
        "CREATE TABLE kind (id int PRIMARY KEY); INSERT INTO kind VALUES (1);"
        "CREATE TABLE t (k int NOT NULL, kind int REFERENCES kind, note text, PRIMARY KEY (k))"
        " PARTITION BY RANGE (k); CREATE INDEX t_note ON t (note);"
        "CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE t_c PARTITION OF t FOR VALUES FROM (200) TO (300);"
        "INSERT INTO t VALUES (5, 1, 'five')");
    if (with_default) database_.Sql("CREATE TABLE t_rest PARTITION OF t DEFAULT");
  }

  // "0 100;200 300", in the order of their names; DEFAULT.
  [[nodiscard]] std::string Bounds(const std::string& table = "t") const {
    return database_.Value(fmt::format(
        "SET TimeZone = 'UTC'; SELECT string_agg(regexp_replace(pg_get_expr(c.relpartbound, c.oid)"
        ", 'FOR VALUES (FROM|IN) |[()'']', '', 'g'), ';' ORDER BY c.relname) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{}'::regclass",
        table));
  }

  Ran Partition(Words words) const {
    words.insert(words.begin(), "partition");
    words.emplace_back("--yes");
    return Run(words);
  }

  // No CHECK, no index and no run's table of ours is left.
  void ExpectNothingOfOurs() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%pgalter%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  }
};

TEST_F(PartitionVerbs, AddMakesARangeBesideTheDefaultPartition) {
  MakeRanges(true);
  database_.Sql("INSERT INTO t VALUES (500, 1, 'elsewhere')");
  const Ran ran = Partition({"add", "t", "--from", "100", "--to", "200"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Bounds(), "0 TO 100;200 TO 300;100 TO 200;DEFAULT");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 't_p100'"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conrelid = 't_rest'::regclass AND "
                   "contype = 'c'"),
            0);
  ExpectNothingOfOurs();
}

// Not about a table that it refers to, which the foreign key of a partition touches, too.
TEST_F(PartitionVerbs, RunsAreAboutTheTableThatWasAskedFor) {
  MakeRanges();
  for (const Words& words :
       {Words{"add", "t", "--from", "100", "--to", "200", "--name", "t_b"}, Words{"detach", "t_b"},
        Words{"attach", "t_b", "--as", "t", "--from", "100", "--to", "200"},
        Words{"maintain", "t", "--every", "100", "--premake", "3"}}) {
    const Ran ran = Partition(words);
    EXPECT_EQ(ran.code, 0) << words.front() << ran.err;
    EXPECT_EQ(database_.Value("SELECT target FROM pgalter.run ORDER BY created_at DESC LIMIT 1"),
              "public.t")
        << words.front();
  }
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.run"), 4);
}

TEST_F(PartitionVerbs, AddKnowsListsUuidsAndZones) {
  database_.Sql(
      "CREATE TABLE l (c text) PARTITION BY LIST (c); CREATE TABLE u (id uuid PRIMARY KEY) "
      "PARTITION BY RANGE (id); CREATE TABLE z (made timestamptz) PARTITION BY RANGE (made)");
  EXPECT_EQ(Partition({"add", "l", "--values", "eu=de,o'clock"}).code, 0);
  EXPECT_EQ(Bounds("l"), "de, oclock");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'l_eu'"), 1);
  const Ran again = Partition({"add", "l", "--values", "x=fr,de"});
  EXPECT_EQ(again.code, 4);
  EXPECT_THAT(again.err, HasSubstr("l_eu is FOR VALUES IN ('de', 'o''clock') already"));
  EXPECT_EQ(Partition({"add", "u", "--from", "2026-01-01", "--to", "2026-02-01"}).code, 0);
  EXPECT_EQ(Bounds("u"),
            "019b76da-a800-0000-0000-000000000000 TO 019c167f-cc00-0000-0000-000000000000");
  EXPECT_EQ(Partition({"add", "z", "--from", "2026-07-01", "--to", "2026-08-01", "--time-zone",
                       "Europe/Berlin"})
                .code,
            0);
  EXPECT_EQ(Bounds("z"), "2026-06-30 22:00:00+00 TO 2026-07-31 22:00:00+00");
  const Ran rest = Partition({"add", "z", "--default", "yes"});
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'z_default'"), 1);
}

TEST_F(PartitionVerbs, AddRefusesWhatOthersHave) {
  MakeRanges(true);
  database_.Sql("INSERT INTO t VALUES (150, 1, 'in the way')");
  const auto says = [&](const Words& words, int code, const char* text) {
    const Ran ran = Partition(words);
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  };
  says({"add", "t", "--from", "50", "--to", "150"}, 4, "t_a is FOR VALUES FROM (0) TO (100)");
  says({"add", "t", "--from", "100", "--to", "200"}, 4, "1 rows of public.t_rest belong");
  says({"add", "t", "--from", "200", "--to", "100"}, 2,
       "--from 200 --to 100 of public.t: a range from 200 to 100 holds nothing");
  says({"add", "t", "--from", "x", "--to", "100"}, 2, "no value of column k");
  database_.Sql("CREATE TABLE u (id uuid) PARTITION BY RANGE (id)");
  says({"add", "u", "--from", "1234", "--to", "2026-01-01"}, 2,
       "which is of type uuid: it is neither a uuid nor a time");
  says({"add", "t", "--values", "1"}, 2, "parted by ranges");
  says({"add", "t"}, 2, "which rows belong");
  says({"add", "t", "--from", "300", "--to", "400", "--name", "kind"}, 4, "relation public.kind");
  says({"add", "kind", "--from", "300", "--to", "400"}, 2, "is not partitioned");
  database_.Sql("CREATE TYPE typed AS ENUM ('x')");
  says({"add", "t", "--from", "300", "--to", "400", "--name", "typed"}, 4,
       "type public.typed stands where");
  EXPECT_EQ(Bounds(), "0 TO 100;200 TO 300;DEFAULT");
}

// A refusal speaks of what was tried, and says what the relation is.
TEST_F(PartitionVerbs, WhatIsNoTableIsToldSo) {
  MakeRanges();
  database_.Sql(
      "CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE "
      "SEQUENCE s; CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE "
      "FOREIGN TABLE f (k int NOT NULL, kind int, note text) SERVER far");
  struct Case {
    const char* relation;
    const char* says;
  };
  for (const Case& one :
       {Case{"v", "public.v: it is a view: name the table under it"},
        Case{"m", "public.m: it is a materialized view"},
        Case{"f", "public.f: it is a foreign table"}, Case{"s", "public.s: it is a sequence"},
        Case{"t_note", "public.t_note: it is an index, not a table: name its table"}}) {
    const auto refused = [&](const char* tried, const Ran& ran) {
      EXPECT_EQ(ran.code, 4) << ran.err;
      EXPECT_THAT(ran.err, HasSubstr(fmt::format("cannot {} {}", tried, one.says)));
    };
    const std::string name = one.relation;
    refused("attach", Partition({"attach", name, "--as", "t", "--from", "100", "--to", "200"}));
    refused("partition", Partition({"convert", name, "--by", "range(k)", "--every", "100"}));
    refused("partition", Partition({"convert", name, "--by", "hash(k)", "--modulus", "2"}));
    refused("rebuild", Run({"rebuild", name, "--yes"}));
    refused("hold", Run({"partition", "hold", name, "--reason", "a case"}));
    refused("backfill", Run({"backfill", name, "--set", "k = 1", "--yes"}));
    const Ran whole = Partition({"add", name, "--from", "100", "--to", "200"});
    EXPECT_EQ(whole.code, 2) << whole.err;
    EXPECT_THAT(whole.err, HasSubstr(fmt::format("public.{} has no partitions: it is a", name)));
    EXPECT_THAT(whole.err, Not(HasSubstr("partition convert")));
  }
  EXPECT_EQ(Bounds(), "0 TO 100;200 TO 300");
}

TEST_F(PartitionVerbs, AttachBuildsAndReadsBeforeTheLock) {
  MakeRanges(true);
  database_.Sql(
      "CREATE TABLE b (k int NOT NULL, kind int, note text); INSERT INTO b SELECT g, 1, 'b' FROM "
      "generate_series(100, 199) g");
  const Ran ran = Partition({"attach", "b", "--as", "t", "--from", "100", "--to", "200"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Bounds(), "100 TO 200;0 TO 100;200 TO 300;DEFAULT");
  EXPECT_EQ(Number("SELECT count(*) FROM t"), 101);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE indrelid = 'b'::regclass"), 2);
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_constraint WHERE conrelid = 'b'::regclass AND contype = "
             "'f' AND convalidated"),
      1);
  ExpectNothingOfOurs();
}

TEST_F(PartitionVerbs, AttachRefusesWhatIsNotAlike) {
  MakeRanges();
  const auto says = [&](const char* definition, const char* text) {
    database_.Sql(fmt::format("DROP TABLE IF EXISTS b; CREATE TABLE b {}", definition));
    const Ran ran = Partition({"attach", "b", "--as", "t", "--from", "100", "--to", "200"});
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  };
  says("(k int NOT NULL, kind int)", "it has no column note");
  says("(k int NOT NULL, kind int, note text, more int)", "column more is not one of");
  says("(k bigint NOT NULL, kind int, note text)", "column k is bigint, and has to be integer");
  says("(k int, kind int, note text)", "column k may be NULL");
  database_.Sql(
      "CREATE TABLE g (k int NOT NULL, twice int GENERATED ALWAYS AS (k * 2) STORED) PARTITION BY "
      "RANGE (k); CREATE TABLE g_b (k int NOT NULL PRIMARY KEY, twice int GENERATED ALWAYS AS (k * "
      "3) STORED)");
  const Ran generated = Partition({"attach", "g_b", "--as", "g", "--from", "100", "--to", "200"});
  if (Number("SHOW server_version_num") < 160000) {
    EXPECT_EQ(generated.code, 4) << generated.err;
    EXPECT_THAT(generated.err, HasSubstr("column twice is generated as (k * 3)"));
    const std::string way = "--alter '";
    const std::size_t alter = generated.err.find(way) + way.size();
    const Ran rebuilt =
        Run({"rebuild", "g_b", "--alter",
             generated.err.substr(alter, generated.err.find("'. Nothing") - alter), "--yes"});
    ASSERT_EQ(rebuilt.code, 0) << generated.err << rebuilt.err;
    EXPECT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    const Ran alike = Partition({"attach", "g_b", "--as", "g", "--from", "100", "--to", "200"});
    EXPECT_EQ(alike.code, 0) << alike.err;
  } else {
    EXPECT_EQ(generated.code, 0) << generated.err;
  }
  const Ran twice = Partition({"attach", "t_a", "--as", "t", "--from", "400", "--to", "500"});
  EXPECT_EQ(twice.code, 4);
  EXPECT_THAT(twice.err, HasSubstr("it is a partition already"));
  EXPECT_EQ(Partition({"attach", "b", "--from", "100", "--to", "200"}).code, 2);
}

// Before a CHECK keeps the table's users from such rows.
TEST_F(PartitionVerbs, AttachRefusesRowsThatBelongElsewhere) {
  MakeRanges();
  database_.Sql(
      "CREATE TABLE b (k int NOT NULL, kind int, note text); INSERT INTO b VALUES (150), (200)");
  const Ran range = Partition({"attach", "b", "--as", "t", "--from", "100", "--to", "200"});
  EXPECT_EQ(range.code, 4) << range.err;
  EXPECT_THAT(range.err, HasSubstr("cannot attach public.b to public.t: it has rows that"));
  const std::size_t query = range.err.find("SELECT * FROM");
  ASSERT_NE(query, std::string::npos) << range.err;
  const std::string found = range.err.substr(query, range.err.find(". Nothing") - query);
  EXPECT_EQ(database_.Value("SELECT string_agg(k::text, ' ') FROM (" + found + ") f"), "200");
  const Ran rest = Partition({"attach", "b", "--as", "t", "--default", "yes"});
  EXPECT_EQ(rest.code, 4) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("it has rows that a partition DEFAULT does not hold"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conrelid = 'b'::regclass AND contype "
                   "= 'c'"),
            0);
  EXPECT_EQ(Bounds(), "0 TO 100;200 TO 300");
  database_.Sql("DELETE FROM b WHERE k = 200");
  const Ran attached = Partition({"attach", "b", "--as", "t", "--default", "yes"});
  EXPECT_EQ(attached.code, 0) << attached.err;
  EXPECT_EQ(Bounds(), "DEFAULT;0 TO 100;200 TO 300");
}

// Who keeps readers from the table is named, and not waited for.
TEST_F(PartitionVerbs, AttachDoesNotWaitBehindALock) {
  MakeRanges(true);
  database_.Sql("CREATE TABLE b (k int NOT NULL, kind int, note text)");
  Session other = database_.Connect();
  other.Exec("SET application_name = 'a migration'; BEGIN; LOCK TABLE b");
  const Words attach{"attach", "b", "--as", "t", "--from", "100", "--to", "200"};
  Words words{"partition"};
  words.insert(words.end(), attach.begin(), attach.end());
  words.emplace_back("--yes");
  const Ran refused = Start(words).Wait(std::chrono::seconds(20));
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr(fmt::format(
                               "whether public.b has rows that its bound does not hold: pid {} (a "
                               "migration) has kept even readers from the table",
                               other.backend_pid())));
  other.Exec("ROLLBACK");
  const Ran attached = Partition(attach);
  EXPECT_EQ(attached.code, 0) << attached.err;
}

// What is looked up before opens the default partition, too.
class PartitionKeptOut : public PartitionVerbs,
                         public ::testing::WithParamInterface<std::vector<std::string>> {
 protected:
  void SetUp() override {
    MakeRanges(true);
    database_.Sql("CREATE TABLE b (k int NOT NULL, kind int, note text)");
    other_.emplace(database_.Connect());
    other_->Exec("SET application_name = 'a migration'; BEGIN; LOCK TABLE t_rest");
    words_ = {"partition"};
    words_.insert(words_.end(), GetParam().begin(), GetParam().end());
    words_.emplace_back("--yes");
  }

  std::optional<Session> other_;
  Words words_;
};

TEST_P(PartitionKeptOut, FromTheDefaultPartitionEndsWithTheOneWhoDoes) {
  const Ran refused =
      Start(words_, {"PGALTER_LIMITS=lock-budget=3000"}).Wait(std::chrono::seconds(20));
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_THAT(refused.err,
              ::testing::ContainsRegex(
                  "lock not obtained: .*others were blocked for at most [1-4][0-9][0-9] ms"));
  EXPECT_THAT(refused.err, HasSubstr(fmt::format("in the way: pid {} (app «a migration»",
                                                 other_->backend_pid())));
  EXPECT_THAT(refused.err, HasSubstr("holds ACCESS EXCLUSIVE on public.t_rest, transaction open"));
  EXPECT_THAT(refused.err, HasSubstr("idle in transaction for "));
  other_->Exec("ROLLBACK");
  EXPECT_EQ(Bounds(), "0 TO 100;200 TO 300;DEFAULT");
}

TEST_P(PartitionKeptOut, FromTheDefaultPartitionWaitsInShortAttempts) {
  Program program = Start(words_);
  // Each attempt ends: there are moments in which nobody waits, and then somebody does again.
  for (const char* waits : {"t", "f", "t"})
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 't_rest'::regclass",
        waits, std::chrono::seconds(30));
  other_->Exec("ROLLBACK");
  const Ran done = program.Wait();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr(" so far: pid "));
  EXPECT_THAT(Bounds(), HasSubstr("100 TO 200"));
}

INSTANTIATE_TEST_SUITE_P(
    Verbs, PartitionKeptOut,
    ::testing::Values(std::vector<std::string>{"add", "t", "--from", "100", "--to", "200"},
                      std::vector<std::string>{"attach", "b", "--as", "t", "--from", "100", "--to",
                                               "200"}),
    [](const auto& verb) { return verb.param.front(); });

TEST_F(PartitionVerbs, DetachLeavesAPlainTable) {
  MakeRanges();
  const Ran ran = Partition({"detach", "t_a"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Bounds(), "200 TO 300");
  EXPECT_EQ(Number("SELECT count(*) FROM t_a"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conrelid = 't_a'::regclass AND "
                   "contype = 'c'"),
            0);
  const Ran again = Partition({"detach", "t_a"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("is no partition"));
}

TEST_F(PartitionVerbs, DetachWorksBesideADefaultPartition) {
  MakeRanges(true);
  const Ran ran = Partition({"detach", "t_a"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Bounds(), "200 TO 300;DEFAULT");
}

// The bound is nowhere else by then.
TEST_F(PartitionVerbs, ARevertOfADetachNamesWhatAttachesAgain) {
  database_.Sql(
      "CREATE TABLE li (k text) PARTITION BY LIST (k); CREATE TABLE li_a PARTITION OF li FOR "
      "VALUES "
      "IN ('it''s')");
  ASSERT_EQ(Partition({"detach", "li_a"}).code, 0);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("was the point of no return"));
  EXPECT_THAT(reverted.err, Not(HasSubstr("pgalter resume")));
  EXPECT_THAT(
      reverted.err,
      HasSubstr("make the opposite change with: pgalter run --sql 'ALTER TABLE public.li "
                R"(ATTACH PARTITION public.li_a FOR VALUES IN ('\''it'\'''\''s'\'')' --yes)"));
  const Ran attached = Run({"run", "--sql",
                            "ALTER TABLE public.li ATTACH PARTITION public.li_a FOR VALUES IN "
                            "('it''s')",
                            "--yes"});
  EXPECT_EQ(attached.code, 0) << attached.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'li'::regclass"), 1);
}

// An old snapshot keeps the second half of DETACH CONCURRENTLY waiting: its statement is cancelled.
TEST_F(PartitionVerbs, DetachEndsWhatSomebodyHasBegun) {
  MakeRanges();
  Session reader = database_.Connect();
  reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
  Session owner = database_.Connect();
  owner.Send("ALTER TABLE t DETACH PARTITION t_a CONCURRENTLY");
  database_.AwaitValue("SELECT count(*) FROM pg_inherits WHERE inhdetachpending", "1", kLimit);
  owner.Cancel();
  EXPECT_THROW(owner.Wait(kLimit), SqlError);
  reader.Exec("COMMIT");
  const Ran seen = Run({"inspect", "partitions", "t"});
  EXPECT_THAT(seen.out, HasSubstr("public.t_a is half detached"));
  const Ran other = Partition({"detach", "t_c"});
  EXPECT_EQ(other.code, 4);
  EXPECT_THAT(other.err, HasSubstr("pgalter partition detach public.t_a"));
  const Ran ended = Partition({"detach", "t_a"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"), 0);
  EXPECT_EQ(Bounds(), "200 TO 300");
}

// Each by what such a table is split by.
TEST_F(PartitionVerbs, RowsInTheWayAreToldHowTheyGetPartitions) {
  database_.Sql(
      "CREATE TABLE li (k text) PARTITION BY LIST (k); CREATE TABLE li_rest PARTITION OF li "
      "DEFAULT;"
      "CREATE TABLE ex (k text) PARTITION BY LIST (lower(k)); CREATE TABLE ex_rest PARTITION OF ex "
      "DEFAULT; CREATE TABLE te (k text) PARTITION BY RANGE (k); CREATE TABLE te_rest PARTITION OF "
      "te DEFAULT; CREATE TABLE tw (k int, l int) PARTITION BY RANGE (k, l); CREATE TABLE tw_rest "
      "PARTITION OF tw DEFAULT; INSERT INTO li VALUES ('a'); INSERT INTO ex VALUES ('a'); INSERT "
      "INTO te VALUES ('a'); INSERT INTO tw VALUES (1, 1)");
  const auto says = [&](const Words& words, const char* way) {
    const Ran ran = Partition(words);
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(fmt::format("of their own with: pgalter {}", way)));
    EXPECT_THAT(ran.err, Not(HasSubstr("--every")));
  };
  says({"add", "li", "--values", "a"},
       "partition split public.li_rest --values NAME=VALUE[,VALUE...]");
  says({"add", "ex", "--values", "a"}, "rebuild public.ex --definition FILE");
  says({"add", "te", "--from", "a", "--to", "b"},
       "partition split public.te_rest --from VALUE --to VALUE");
  says({"add", "tw", "--from", "1,1", "--to", "2,2"},
       "partition split public.tw_rest --from VALUE,... --to VALUE,...");
  const Ran split = Partition({"split", "li_rest", "--values", "a=a"});
  EXPECT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Number("SELECT count(*) FROM li_a"), 1);
  const Ran maintained = Partition({"maintain", "li"});
  EXPECT_EQ(maintained.code, 2) << maintained.err;
  EXPECT_THAT(maintained.err, HasSubstr("pgalter partition add public.li --values NAME=VALUE"));
}

TEST_F(PartitionVerbs, EachTakesItsOwnOptionsOnly) {
  const auto says = [&](Words words, const char* text) {
    words.insert(words.begin(), "partition");
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  };
  says({"maintain", "t", "--modulus", "2"}, "--modulus is not for partition maintain");
  says({"list", "t", "--premake", "4"}, "--premake is not for partition list");
  says({"detach", "t", "--from", "4"}, "--from is not for partition detach");
  says({"convert", "t", "--by", "hash(id)", "--modulus", "4", "--premake", "2"},
       "--premake is not for partition convert --by 'hash(id)'");
  says({"convert", "t", "--by", "list(c)", "--values", "a=1", "--time-zone", "UTC"},
       "--time-zone is not for partition convert --by 'list(c)'");
  says({"detach"}, "pgalter partition detach PARTITION");
  says({"list", "t", "other"}, "partition list takes one TABLE, and \"other\" is one more");
}

TEST_F(PartitionVerbs, AnInspectionShowsWhatIsWrong) {
  MakeRanges(true);
  database_.Sql(
      "INSERT INTO t VALUES (150, 1, 'a'), (170, 1, 'b'); CREATE INDEX late ON ONLY t (kind)");
  const Ran seen = Run({"inspect", "partitions", "t"});
  ASSERT_EQ(seen.code, 0) << seen.err;
  EXPECT_THAT(seen.out, HasSubstr("public.t by RANGE (k)"));
  EXPECT_THAT(seen.out, HasSubstr("between 100 and 200 there is no partition"));
  EXPECT_THAT(seen.out, HasSubstr("public.t_rest holds 2 rows that no other partition does, from "
                                  "150 to 170"));
  EXPECT_THAT(seen.out, HasSubstr("public.t_a has no valid part of index late"));
  EXPECT_THAT(seen.out, HasSubstr("t_a   |####################"));
  EXPECT_THAT(seen.out, HasSubstr("\n(gap) |                        ...."));
  EXPECT_THAT(
      seen.out,
      HasSubstr("ranges end at 300: pgalter partition maintain public.t would make 3, up to 600"));
  EXPECT_EQ(Run({"inspect", "partitions"}).code, 2);
  EXPECT_EQ(Run({"inspect", "kinds", "t"}).code, 2);
}

// By hash: what is missing is said, made, and brought back.
TEST_F(PartitionVerbs, AHashPartitionIsMissedMadeAndBroughtBack) {
  database_.Sql(
      "CREATE TABLE h (id int, c text, PRIMARY KEY (id, c)) PARTITION BY HASH (id, c);"
      "CREATE TABLE h_0 PARTITION OF h FOR VALUES WITH (MODULUS 4, REMAINDER 0);"
      "CREATE TABLE h_1 PARTITION OF h FOR VALUES WITH (MODULUS 4, REMAINDER 1);"
      "CREATE TABLE h_3 PARTITION OF h FOR VALUES WITH (MODULUS 4, REMAINDER 3)");
  const char* const missing =
      "of modulus 4 there is no partition for remainder 2: rows that have it";
  EXPECT_THAT(Run({"inspect", "partitions", "h"}).out, HasSubstr(missing));
  const Ran asked = Partition({"add", "h", "--from", "0", "--to", "1"});
  EXPECT_EQ(asked.code, 2);
  EXPECT_THAT(asked.err, HasSubstr("--modulus N --remainder R"));
  EXPECT_THAT(asked.err, HasSubstr(missing));
  const Ran added = Partition({"add", "h", "--modulus", "4", "--remainder", "2"});
  ASSERT_EQ(added.code, 0) << added.err;
  EXPECT_EQ(database_.Value("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = "
                            "'h_h2'"),
            "FOR VALUES WITH (modulus 4, remainder 2)");
  EXPECT_THAT(Run({"inspect", "partitions", "h"}).out, Not(HasSubstr(missing)));
  database_.Sql("INSERT INTO h SELECT g, 'c' FROM generate_series(1, 1000) g");
  const auto rows = Number("SELECT count(*) FROM h_h2");
  EXPECT_GT(rows, 0);
  ASSERT_EQ(Partition({"detach", "h_h2"}).code, 0);
  const Ran back = Partition({"attach", "h_h2", "--as", "h", "--modulus", "4", "--remainder", "2"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(Number("SELECT count(*) FROM h"), 1000);
  ExpectNothingOfOurs();
}

TEST_F(PartitionVerbs, AHashThatDoesNotFitIsRefused) {
  database_.Sql(
      "CREATE TABLE h (id int) PARTITION BY HASH (id);"
      "CREATE TABLE h_0 PARTITION OF h FOR VALUES WITH (MODULUS 4, REMAINDER 0);"
      "CREATE TABLE x (id int); INSERT INTO x SELECT generate_series(1, 100);"
      "CREATE TABLE r (id int) PARTITION BY RANGE (id)");
  const auto refuses = [&](const char* modulus, const char* remainder, int code, const char* text) {
    const Ran ran = Partition({"add", "h", "--modulus", modulus, "--remainder", remainder});
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  };
  refuses("4", "4", 2, "there is no remainder 4 of modulus 4");
  refuses("0", "0", 2, "there is no remainder 0 of modulus 0");
  refuses("6", "1", 2, "--modulus 6 does not go with partition public.h_0");
  refuses("4", "0", 4, "which has some of modulus 4, remainder 0");
  refuses("8", "4", 4, "which has some of modulus 8, remainder 4");
  refuses("2", "0", 4, "which has some of modulus 2, remainder 0");
  const Ran misfit = Partition({"attach", "x", "--as", "h", "--modulus", "4", "--remainder", "1"});
  EXPECT_EQ(misfit.code, 4) << misfit.err;
  EXPECT_THAT(misfit.err, HasSubstr("has rows that a partition"));
  const Ran range = Partition({"add", "r", "--modulus", "4", "--remainder", "1"});
  EXPECT_EQ(range.code, 2) << range.err;
  EXPECT_THAT(range.err, HasSubstr("is not parted by hash"));
}

// A 0 would read as empty.
TEST_F(PartitionVerbs, RowsThatNobodyCountedAreNotKnown) {
  MakeRanges();
  database_.Sql("ALTER TABLE t_a SET (autovacuum_enabled = off)");
  const auto rows = [&](const char* part) {
    const std::string json = Run({"partition", "list", "t", "--output", "json"}).out;
    const std::size_t at = json.find(fmt::format("\"name\":\"public.{}\"", part));
    const std::size_t begin = json.find("\"rows\":", at) + 7;
    return json.substr(begin, json.find(',', begin) - begin);
  };
  EXPECT_EQ(rows("t_a"), "null");
  EXPECT_EQ(rows("t_c"), "0");
  EXPECT_THAT(Run({"partition", "list", "t"}).out, HasSubstr("?"));
  EXPECT_THAT(Run({"inspect", "partitions", "t"}).out, HasSubstr("0 to 100    ?"));
  EXPECT_THAT(Run({"inspect", "partitions", "t"}).out, HasSubstr("t_a   |###"));
  database_.Sql("ANALYZE t_a");
  EXPECT_EQ(rows("t_a"), "1");
  EXPECT_THAT(Run({"partition", "list", "t"}).out, Not(HasSubstr("?")));
}

// What a run made a partition and users have let go since is theirs: the run is taken back around
// it.
class PartitionStrays : public PartitionVerbs {
 protected:
  static constexpr const char* kStays = "no partition of public.li any more, and is left as it is";

  // Makes li_b; its run.
  [[nodiscard]] std::string Add() const {
    database_.Sql(
        "CREATE TABLE li (k text) PARTITION BY LIST (k); CREATE TABLE li_a PARTITION OF li FOR "
        "VALUES IN ('a')");
    const Ran added = Partition({"add", "li", "--values", "b=b"});
    EXPECT_EQ(added.code, 0) << added.err;
    return RunId();
  }

  [[nodiscard]] Ran Revert(const std::string& run, Words environment = {}) const {
    return Run({"revert", run, "--yes"}, std::move(environment));
  }

  void ExpectReverted(const std::string& run) const {
    EXPECT_EQ(database_.Value(fmt::format("SELECT state FROM pgalter.run WHERE run = '{}'", run)),
              "reverted");
    const Ran next = Partition({"add", "li", "--values", "c=c"});
    EXPECT_EQ(next.code, 0) << next.err;
    ExpectNothingOfOurs();
  }
};

TEST_F(PartitionStrays, WhatWasAddedAndDetachedStaysWithItsRows) {
  const std::string run = Add();
  database_.Sql("INSERT INTO li VALUES ('b')");
  ASSERT_EQ(Partition({"detach", "li_b"}).code, 0);
  const Ran reverted = Revert(run);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr(kStays));
  EXPECT_EQ(Number("SELECT count(*) FROM li_b"), 1);
  ExpectReverted(run);
}

TEST_F(PartitionStrays, WhatWasAddedAndDetachedStaysWhenARevertDies) {
  const std::string run = Add();
  database_.Sql("INSERT INTO li VALUES ('b'); ALTER TABLE li DETACH PARTITION li_b");
  ASSERT_EQ(Revert(run, {"PGALTER_FAIL_POINT=undo-recorded"}).code, kKilled);
  const Ran reverted = Revert(run);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM li_b"), 1);
  ExpectReverted(run);
}

TEST_F(PartitionStrays, WhatIsAPartitionGoesAlsoWhenARevertDies) {
  const std::string run = Add();
  ASSERT_EQ(Revert(run, {"PGALTER_FAIL_POINT=undo-recorded"}).code, kKilled);
  const Ran reverted = Revert(run);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(database_.Value("SELECT to_regclass('li_b') IS NULL"), "t");
  ExpectReverted(run);
}

TEST_F(PartitionStrays, WhatWasAddedAndDroppedIsNotMissed) {
  const std::string run = Add();
  database_.Sql("DROP TABLE li_b");
  const Ran reverted = Revert(run);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectReverted(run);
}

TEST_F(PartitionStrays, WhatWasAddedToAnotherTableStaysThere) {
  const std::string run = Add();
  database_.Sql(
      "ALTER TABLE li DETACH PARTITION li_b; CREATE TABLE other (k text) PARTITION BY LIST (k);"
      "ALTER TABLE other ATTACH PARTITION li_b FOR VALUES IN ('b')");
  const Ran reverted = Revert(run);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Bounds("other"), "b");
  ExpectReverted(run);
}

// With the index and the key that it was given for that.
TEST_F(PartitionStrays, WhatWasAttachedAndDetachedIsNotChanged) {
  MakeRanges(true);
  database_.Sql(
      "CREATE TABLE x (k int NOT NULL, kind int, note text); INSERT INTO x VALUES (150, 1, 'x')");
  const Ran attached = Partition({"attach", "x", "--as", "t", "--from", "100", "--to", "200"});
  ASSERT_EQ(attached.code, 0) << attached.err;
  const std::string run = RunId();
  ASSERT_EQ(Partition({"detach", "x"}).code, 0);
  const char* const what =
      "SELECT (SELECT count(*) FROM pg_index WHERE indrelid = 'x'::regclass) || ' ' || (SELECT "
      "string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = "
      "'x'::regclass)";
  const std::string before = database_.Value(what);
  const Ran reverted = Revert(run);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("public.x is no partition of public.t any more"));
  EXPECT_EQ(database_.Value(what), before);
  EXPECT_EQ(Number("SELECT count(*) FROM x"), 1);
  ExpectNothingOfOurs();
}

TEST_F(PartitionStrays, WhatWasAttachedAndDroppedIsNotMissed) {
  MakeRanges(true);
  database_.Sql("CREATE TABLE x (k int NOT NULL, kind int, note text)");
  const Ran attached = Partition({"attach", "x", "--as", "t", "--from", "100", "--to", "200"});
  ASSERT_EQ(attached.code, 0) << attached.err;
  const std::string run = RunId();
  database_.Sql("DROP TABLE x");
  const Ran reverted = Revert(run);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectNothingOfOurs();
}

// Until that is taken back, it is no partition by the name of then.
TEST_F(PartitionStrays, WhatTheRunItselfRenamedIsTakenBack) {
  database_.Sql("CREATE TABLE li (k text) PARTITION BY LIST (k); CREATE TABLE x (k text)");
  const Ran ran = Run({"run", "--sql",
                       "ALTER TABLE li ATTACH PARTITION x FOR VALUES IN ('b'); ALTER TABLE x "
                       "RENAME TO y",
                       "--through", "contract", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Ran reverted = Revert(RunId());
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(database_.Value("SELECT to_regclass('x') IS NOT NULL"), "t");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits"), 0);
}

// By several columns, where the CHECKs of the bound are ours by name, and still there.
TEST_F(PartitionStrays, OfOurOwnChecksNoneIsLeftOnIt) {
  database_.Sql(
      "CREATE TABLE li (k int NOT NULL, n int NOT NULL) PARTITION BY RANGE (k, n); CREATE TABLE x "
      "(k int NOT NULL, n int NOT NULL)");
  const Ran killed =
      Run({"partition", "attach", "x", "--as", "li", "--from", "0,0", "--to", "9,0", "--yes"},
          {"PGALTER_FAIL_POINT=step-started:4"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  ASSERT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'x'::regclass"), 1);
  ASSERT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'pgalter_bound'"), 1);
  database_.Sql("ALTER TABLE li DETACH PARTITION x");
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM x"), 0);
  ExpectNothingOfOurs();
}

TEST_F(PartitionStrays, ARevertThatDiedIsGoneOnWithByARevert) {
  const std::string run = Add();
  ASSERT_EQ(Revert(run, {"PGALTER_FAIL_POINT=undo-unrecorded"}).code, kKilled);
  AwaitNoRunner();
  const Ran finish = Run({"finish", run, "--yes"});
  EXPECT_EQ(finish.code, 4) << finish.err;
  EXPECT_THAT(finish.err, HasSubstr(fmt::format("pgalter revert {} --yes", run)));
  EXPECT_THAT(finish.err, Not(HasSubstr("pgalter resume")));
  EXPECT_EQ(Revert(run).code, 0);
  ExpectReverted(run);
}

// What others do to tables that have our CHECKs on them.
struct Elsewhere {
  const char* name;
  const char* sql;
};

class PartitionElsewhere : public PartitionVerbs,
                           public ::testing::WithParamInterface<Elsewhere> {};

TEST_P(PartitionElsewhere, TheChecksOfAnAttachGoWhereTheyAreNow) {
  MakeRanges(true);
  database_.Sql(
      "CREATE SCHEMA IF NOT EXISTS there; CREATE TABLE o (k int PRIMARY KEY, kind int REFERENCES "
      "kind, note text); INSERT INTO o VALUES (150, 1, 'o')");
  const Ran killed =
      Run({"partition", "attach", "o", "--as", "t", "--from", "100", "--to", "200", "--yes"},
          {"PGALTER_FAIL_POINT=step-started:5"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  ASSERT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'pgalter\\_%'"), 2);
  database_.Sql(GetParam().sql);
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(StateOfRun(), "aborted");
  const bool gone = std::string_view(GetParam().name).starts_with("Gone");
  EXPECT_EQ(aborted.err.find("is gone") != std::string::npos, gone) << aborted.err;
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(
    By, PartitionElsewhere,
    ::testing::Values(Elsewhere{"Renamed", "ALTER TABLE o RENAME TO o2"},
                      Elsewhere{"Moved", "ALTER TABLE o SET SCHEMA there"},
                      Elsewhere{"Gone", "DROP TABLE o"},
                      Elsewhere{"DefaultRenamed", "ALTER TABLE t_rest RENAME TO t_other"},
                      Elsewhere{"DefaultMoved", "ALTER TABLE t_rest SET SCHEMA there"},
                      Elsewhere{"GoneDefault", "DROP TABLE t_rest"},
                      Elsewhere{
                          "BothRenamed",
                          "ALTER TABLE t RENAME TO t2; ALTER TABLE t_rest RENAME TO t2_rest"}),
    [](const auto& one) { return std::string(one.param.name); });

// Who may not change a table is told what that takes, at once; and who only looks needs no more
// than looking does.
TEST_F(PartitionVerbs, ARoleWithoutRightsMayLook) {
  MakeRanges(true);
  user_ = database_.Value("SELECT 'looks_' || current_database()");
  database_.Sql(fmt::format("CREATE ROLE {} LOGIN", user_));
  // Before it is asked for anything else, or told what else is wrong.
  const auto stranger = [&](const Words& words, const char* table) {
    const Ran ran = Partition(words);
    EXPECT_EQ(ran.code, 10) << words.front() << ": " << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(fmt::format("{} does not own {} ", user_, table)));
    EXPECT_THAT(ran.err, Not(HasSubstr("SELECT")));
  };
  for (const Words& words :
       {Words{"split", "t_a", "--at", "5000"}, Words{"merge", "t_a", "t_c"}, Words{"detach", "t_a"},
        Words{"retain", "t", "--keep", "0"}, Words{"maintain", "t"},
        Words{"add", "t", "--from", "0", "--to", "100"}, Words{"undo", "t"},
        Words{"attach", "kind", "--as", "t", "--from", "0", "--to", "100"}})
    stranger(words, "public.t");
  for (const Words& by : {Words{"--by", "range(note)", "--every", "1"},
                          Words{"--by", "hash(note)", "--modulus", "2"}}) {
    Words words{"convert", "kind"};
    words.insert(words.end(), by.begin(), by.end());
    stranger(words, "public.kind");
  }
  const Ran listed = Run({"partition", "list", "t"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("GRANT SELECT ON public.t_rest TO " + user_));
  EXPECT_EQ(Run({"inspect", "partitions", "t"}).code, 10);
  database_.Sql("GRANT SELECT ON t_rest TO " + user_);
  const Ran seen = Run({"inspect", "partitions", "t"});
  EXPECT_EQ(seen.code, 0) << seen.err;
  EXPECT_THAT(Run({"partition", "list", "t"}).out, Not(HasSubstr("not known")));
}

// Of many, neighbours are one line, and nothing is wider than a terminal.
TEST_F(PartitionVerbs, APictureOfManyRangesFitsTheTerminal) {
  database_.Sql(
      "CREATE TABLE m (made timestamptz) PARTITION BY RANGE (made); DO $$ BEGIN FOR i IN 1 .. 200 "
      "LOOP IF i <> 150 THEN EXECUTE format('CREATE TABLE m_%s PARTITION OF m FOR VALUES FROM (%L) "
      "TO (%L)', i, timestamptz '2020-01-01 UTC' + i * interval '7 days', timestamptz '2020-01-01 "
      "UTC' + (i + 1) * interval '7 days'); END IF; END LOOP; END $$; CREATE INDEX wide ON ONLY m "
      "(made)");
  const Ran seen = Run({"inspect", "partitions", "m"});
  ASSERT_EQ(seen.code, 0) << seen.err;
  EXPECT_THAT(seen.out, HasSubstr("\n149 from m_1  |---"));
  EXPECT_THAT(seen.out, HasSubstr("\n(gap)         |"));
  EXPECT_THAT(seen.out, HasSubstr("\n50 from m_151 |"));
  EXPECT_THAT(seen.out, HasSubstr("public.m_1 has no valid part of index wide"));
  EXPECT_THAT(seen.out, HasSubstr("neither have 198 others"));
  std::istringstream lines(seen.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("note: ")) continue;
    EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST_F(PartitionVerbs, TheJsonIsWhatItsSchemaSays) {
  MakeRanges(true);
  const Ran json = Run({"inspect", "partitions", "t", "--output", "json"});
  const fs::path file = fs::temp_directory_path() / (database_.name() + ".json");
  std::ofstream(file) << json.out;
  constexpr int kSkipped = 77;
  const int status = std::system(
      fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/partitions.json' '{1}'",
                  PGALTER_SOURCE_DIR, file.string())
          .c_str());
  fs::remove(file);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == kSkipped) GTEST_SKIP() << "the judge cannot be had";
  EXPECT_EQ(code, 0) << json.out;
}

}  // namespace
}  // namespace pgalter::test
