// Old partitions go: detached, exported, dropped; never one that is held, or whose file is not what
// it was.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class PartitionRetain : public BackfillWorld {
 protected:
  PartitionRetain() : folder_(fs::temp_directory_path() / database_.name()) {
    fs::create_directories(folder_);
    // Four months, the last of them now, and one ahead.
    database_.Sql(
        "CREATE TABLE kind (id int PRIMARY KEY); INSERT INTO kind VALUES (1); CREATE TABLE t (made "
        "timestamptz NOT NULL, kind int REFERENCES kind, note text) PARTITION BY RANGE (made); DO "
        "$$ "
        "BEGIN FOR i IN -3 .. 1 LOOP EXECUTE format('CREATE TABLE t_%s PARTITION OF t FOR VALUES "
        "FROM "
        "(%L) TO (%L)', i + 3, date_trunc('month', now()) + i * interval '1 month', date_trunc("
        "'month', now()) + (i + 1) * interval '1 month'); END LOOP; END $$; INSERT INTO t SELECT "
        "date_trunc('month', now()) - g * interval '1 day', 1, E'a\\tb\\n' || g FROM "
        "generate_series(1, 80) g");
  }
  ~PartitionRetain() override { fs::remove_all(folder_); }

  Ran Retain(Words more, const Words& environment = {}) const {
    Words words{"partition", "retain", "t", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words, environment);
  }
  Ran Export(const Words& environment = {}) const {
    return Retain({"--keep", "2", "--export", folder_.string(), "--hold", "0 days"}, environment);
  }

  [[nodiscard]] std::string Attached() const {
    return database_.Value(
        "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_inherits i JOIN pg_class c "
        "ON "
        "c.oid = i.inhrelid WHERE inhparent = 't'::regclass");
  }
  [[nodiscard]] long Tables() const {
    return Number("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\__' AND relkind = 'r'");
  }

  fs::path folder_;
};

TEST_F(PartitionRetain, ShowsWhatWouldGoAndWritesNothing) {
  const Ran ran = Run({"partition", "retain", "t", "--keep", "2", "--drop"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("public.t_0"));
  EXPECT_THAT(ran.out, HasSubstr("public.t_1"));
  EXPECT_THAT(ran.out, HasSubstr("detached; later dropped"));
  EXPECT_THAT(ran.out, Not(HasSubstr("public.t_2")));
  EXPECT_EQ(Attached(), "t_0 t_1 t_2 t_3 t_4");
}

TEST_F(PartitionRetain, KeepsByTimeAndWaitsBeforeItDrops) {
  const Ran ran = Retain({"--keep", "2 months", "--drop"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  // t_1 ends two months ago only on the first of a month, at midnight.
  EXPECT_EQ(Attached(), "t_1 t_2 t_3 t_4");
  EXPECT_EQ(Tables(), 5);
  const Ran waits = Retain({"--keep", "2 months", "--drop"});
  EXPECT_EQ(waits.code, 0) << waits.err;
  EXPECT_THAT(waits.out, HasSubstr("waits for the end of --hold"));
  EXPECT_EQ(Tables(), 5);
  database_.Sql("UPDATE pgalter.retired SET detached_at = detached_at - interval '8 days'");
  const Ran over = Retain({"--keep", "2 months", "--drop"});
  EXPECT_EQ(over.code, 0) << over.err;
  EXPECT_EQ(Tables(), 4);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.retired WHERE dropped_at IS NOT NULL"), 1);
}

// Keys that count time are older than an interval by the clock.
TEST_F(PartitionRetain, KeepsNumbersThatCountTimeByTheClock) {
  database_.Sql(
      "CREATE TABLE n (at bigint NOT NULL, PRIMARY KEY (at)) PARTITION BY RANGE (at); DO $$ "
      "BEGIN FOR i IN -3 .. 1 LOOP EXECUTE format('CREATE TABLE n_%s PARTITION OF n FOR VALUES "
      "FROM (%s) TO (%s)', i + 3, extract(epoch FROM date_trunc('month', now()) + i * interval '1 "
      "month')::bigint * 1000, extract(epoch FROM date_trunc('month', now()) + (i + 1) * interval "
      "'1 month')::bigint * 1000); END LOOP; END $$; INSERT INTO n SELECT extract(epoch FROM "
      "date_trunc('month', now()) - g * interval '1 day')::bigint * 1000 FROM generate_series(1, "
      "80) g");
  const auto attached = [this] {
    return database_.Value(
        "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_inherits i JOIN pg_class c "
        "ON c.oid = i.inhrelid WHERE inhparent = 'n'::regclass");
  };
  const Ran unsaid = Run({"partition", "retain", "n", "--keep", "1 month", "--yes"});
  EXPECT_EQ(unsaid.code, 2);
  EXPECT_THAT(unsaid.err, HasSubstr("--epoch seconds|milliseconds"));
  const Ran other =
      Run({"partition", "retain", "n", "--keep", "1 month", "--epoch", "seconds", "--yes"});
  EXPECT_EQ(other.code, 4) << other.err;
  EXPECT_EQ(attached(), "n_0 n_1 n_2 n_3 n_4");
  // The range ahead has not begun, whatever the newest row is.
  const Ran number =
      Run({"partition", "retain", "n", "--keep", "3", "--epoch", "milliseconds", "--yes"});
  EXPECT_EQ(number.code, 0) << number.err;
  EXPECT_EQ(attached(), "n_1 n_2 n_3 n_4");
  const Ran ran =
      Run({"partition", "retain", "n", "--keep", "1 month", "--epoch", "milliseconds", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(attached(), "n_2 n_3 n_4");
}

TEST_F(PartitionRetain, ExportsWhatItDrops) {
  const std::string rows = database_.Value("SELECT count(*) FROM t_0");
  const Ran ran = Export();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Attached(), "t_2 t_3 t_4");
  EXPECT_EQ(Tables(), 3);
  EXPECT_EQ(database_.Value("SELECT rows FROM pgalter.retired WHERE name = 'public.t_0'"), rows);
  const std::ifstream file(folder_ / "public.t_0.copy");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(std::to_string(std::ranges::count(text.str(), '\n')), rows);
  EXPECT_EQ(database_.Value(fmt::format("SELECT encode(sha256({}::bytea), 'hex') = sha256 FROM "
                                        "pgalter.retired WHERE name = 'public.t_0'",
                                        "convert_to($q$" + text.str() + "$q$, 'UTF8')")),
            "t");
}

// What is written is what a table like the parent takes.
TEST_F(PartitionRetain, ExportsInTheOrderOfTheParent) {
  database_.Sql(
      "CREATE TABLE o (id int, payer text, payee text, twice int GENERATED ALWAYS AS (id * 2) "
      "STORED) PARTITION BY RANGE (id); CREATE TABLE o_1 (twice int GENERATED ALWAYS AS (id * 2) "
      "STORED, payee text, gone int, payer text, id int); ALTER TABLE o_1 DROP COLUMN gone;"
      "ALTER TABLE o ATTACH PARTITION o_1 FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE o_2 PARTITION OF o FOR VALUES FROM (10) TO (20);"
      "INSERT INTO o VALUES (1, 'alice', 'bob'), (11, 'carol', 'dave')");
  const Ran ran = Run({"partition", "retain", "o", "--keep", "1", "--export", folder_.string(),
                       "--hold", "0 days", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  std::ifstream file(folder_ / "public.o_1.copy");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), "1\talice\tbob\n");
  EXPECT_EQ(database_.Value("SELECT to_regclass('o_1') IS NULL"), "t");
}

TEST_F(PartitionRetain, LeavesWhatIsHeld) {
  EXPECT_EQ(Run({"partition", "hold", "t_0", "--yes"}).code, 2);
  ASSERT_EQ(Run({"partition", "hold", "t_0", "--reason", "case 7", "--yes"}).code, 0);
  const Ran ran = Retain({"--keep", "2", "--drop", "--hold", "0 days"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("stays: legal hold of public.t_0"));
  EXPECT_EQ(Attached(), "t_0 t_2 t_3 t_4");
  ASSERT_EQ(Run({"partition", "release", "t_0", "--yes"}).code, 0);
  ASSERT_EQ(Run({"partition", "hold", "t", "--reason", "all of it", "--yes"}).code, 0);
  EXPECT_THAT(Retain({"--keep", "2", "--drop"}).out, HasSubstr("stays: legal hold of public.t "));
  EXPECT_EQ(Attached(), "t_0 t_2 t_3 t_4");
}

TEST_F(PartitionRetain, WhatIsHeldIsNotDetachedDroppedOrTruncated) {
  database_.Sql(
      "CREATE SCHEMA app; CREATE TABLE app.plain (id int PRIMARY KEY); INSERT INTO app.plain "
      "VALUES "
      "(1); CREATE TABLE other (id int PRIMARY KEY); ALTER TABLE app.plain ADD FOREIGN KEY (id) "
      "REFERENCES other NOT VALID");
  ASSERT_EQ(Run({"partition", "hold", "t_0", "--reason", "case 7", "--yes"}).code, 0);
  ASSERT_EQ(Run({"partition", "hold", "app.plain", "--reason", "case 8", "--yes"}).code, 0);
  const long runs = Number("SELECT count(*) FROM pgalter.run");
  const Ran detach = Run({"partition", "detach", "t_0", "--yes"});
  EXPECT_EQ(detach.code, 4) << detach.err;
  EXPECT_THAT(detach.err, HasSubstr("legal hold of public.t_0"));
  database_.Sql(fmt::format("ALTER DATABASE {} SET search_path = app, public", database_.name()));
  for (const char* sql : {"DROP TABLE t_0", "DROP TABLE t", "TRUNCATE t_1, t_0", "TRUNCATE plain",
                          "TRUNCATE other CASCADE", "DROP SCHEMA app CASCADE",
                          "ALTER TABLE t DETACH PARTITION t_0"}) {
    const Ran ran = Run({"run", "--sql", sql, "--through", "contract", "--yes"});
    EXPECT_EQ(ran.code, 4) << sql << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("legal hold of ")) << sql;
    EXPECT_THAT(ran.err, HasSubstr("pgalter partition release ")) << sql;
  }
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.run"), runs);
  EXPECT_EQ(Attached(), "t_0 t_1 t_2 t_3 t_4");
  const Ran another = Run({"run", "--sql", "TRUNCATE t_1", "--through", "contract", "--yes"});
  EXPECT_EQ(another.code, 0) << another.err;
  ASSERT_EQ(Run({"partition", "release", "t_0", "--yes"}).code, 0);
  const Ran released = Run({"partition", "detach", "t_0", "--yes"});
  EXPECT_EQ(released.code, 0) << released.err;
  EXPECT_EQ(Attached(), "t_1 t_2 t_3 t_4");
}

// What has taken the place of a partition holds its rows, and what it is cut into would not.
TEST_F(PartitionRetain, AHoldOutlivesARebuild) {
  ASSERT_EQ(Run({"partition", "hold", "t_0", "--reason", "case 7", "--yes"}).code, 0);
  database_.Sql("ALTER TABLE t ADD COLUMN id serial, ADD PRIMARY KEY (id, made)");
  const Ran rebuilt = Run({"rebuild", "t", "--yes"});
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const Ran split = Run({"partition", "split", "t_0", "--every", "1 week", "--yes"});
  EXPECT_EQ(split.code, 4) << split.err;
  EXPECT_THAT(split.err, HasSubstr("its rows would go where nothing holds them (legal hold of "
                                   "public.t_0"));
  database_.Sql("ALTER TABLE t_0 RENAME TO t_held");
  const Ran ran = Retain({"--keep", "2", "--drop", "--hold", "0 days"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("stays: legal hold of public.t_0"));
  EXPECT_EQ(Attached(), "t_2 t_3 t_4 t_held");
  const Ran released = Run({"partition", "release", "t_held", "--yes"});
  EXPECT_EQ(released.code, 0) << released.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.legal_hold"), 0);
}

TEST_F(PartitionRetain, AHoldComesBackWithTheTables) {
  ASSERT_EQ(Run({"partition", "hold", "t", "--reason", "case 8", "--yes"}).code, 0);
  database_.Sql("ALTER TABLE t ADD COLUMN id serial, ADD PRIMARY KEY (id, made)");
  ASSERT_EQ(Run({"rebuild", "t", "--yes"}).code, 0);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  database_.Sql("ALTER TABLE t RENAME TO kept");
  const Ran ran = Run({"partition", "retain", "kept", "--keep", "2", "--drop", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("stays: legal hold of public.t "));
}

// 90 is less than 1000, other than their texts.
TEST_F(PartitionRetain, NumbersAreCountedAsNumbers) {
  database_.Sql(
      "CREATE TABLE n (id bigint PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE n_1 PARTITION OF n FOR VALUES FROM (0) TO (100);"
      "CREATE TABLE n_2 PARTITION OF n FOR VALUES FROM (100) TO (1000);"
      "CREATE TABLE n_3 PARTITION OF n FOR VALUES FROM (1000) TO (2000);"
      "CREATE TABLE n_rest PARTITION OF n DEFAULT;"
      "INSERT INTO n VALUES (90), (900), (1000), (-7), (20000)");
  const Ran ran = Run({"partition", "retain", "n", "--keep", "1", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY 1) FROM "
                            "pg_inherits WHERE inhparent = 'n'::regclass"),
            "n_3 n_rest");
  EXPECT_THAT(Run({"inspect", "partitions", "n"}).out, HasSubstr("from -7 to 20000"));
}

TEST_F(PartitionRetain, AHoldThatComesLateStopsTheDrop) {
  ASSERT_EQ(Export({"PGALTER_FAIL_POINT=exported"}).code, kKilled);
  AwaitNoRunner();
  ASSERT_EQ(Run({"partition", "hold", "t_0", "--reason", "late", "--yes"}).code, 0);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("legal hold (late)"));
  EXPECT_EQ(Tables(), 5);
}

TEST_F(PartitionRetain, ADifferentFileStopsTheDrop) {
  ASSERT_EQ(Export({"PGALTER_FAIL_POINT=drop-checked"}).code, kKilled);
  AwaitNoRunner();
  std::ofstream(folder_ / "public.t_0.copy", std::ios::app) << "more\n";
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 7) << resumed.err;
  EXPECT_EQ(Tables(), 5);
}

// Detached, it can still be written by its own name.
TEST_F(PartitionRetain, ALateRowStopsTheDrop) {
  ASSERT_EQ(Export({"PGALTER_FAIL_POINT=drop-checked"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("INSERT INTO t_0 SELECT * FROM t_0 LIMIT 1");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 7) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("its rows were changed after the export"));
  EXPECT_EQ(Tables(), 5);
}

// A harness that cannot fail proves nothing.
TEST_F(PartitionRetain, DropsALateRowWithoutItsSafeguard) {
  ASSERT_EQ(Export({"PGALTER_FAIL_POINT=drop-checked"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("INSERT INTO t_0 SELECT * FROM t_0 LIMIT 1");
  EXPECT_EQ(Run({"resume", RunId()}, {"PGALTER_SAFEGUARDS_OFF=export-check"}).code, 0);
  EXPECT_EQ(Tables(), 3);
}

class RetainLogged : public PartitionRetain {
 protected:
  // "hold public.t_0, …", of the log as it is since this entry.
  [[nodiscard]] std::string Said(const std::string& since = "0") const {
    return database_.Value(
        "SELECT string_agg(split_part(event, '.', 2) || ' ' || subject, ', ' ORDER BY seq)"
        " FROM pgalter.audit_log WHERE event LIKE 'partition.%' AND seq > " +
        since);
  }
  [[nodiscard]] std::string Of(const std::string& event, const std::string& key) const {
    return database_.Value(
        fmt::format("SELECT payload::json->>'{}' FROM pgalter.audit_log WHERE event = '{}'"
                    " ORDER BY seq LIMIT 1",
                    key, event));
  }
  void ExpectWhole() const { EXPECT_EQ(Run({"audit", "verify"}).code, 0); }
};

TEST_F(RetainLogged, HoldsExportsAndDropsAreInTheAuditLog) {
  const std::string rows = database_.Value("SELECT count(*) FROM t_0");
  ASSERT_EQ(Run({"partition", "hold", "t_0", "--reason", "case 4711", "--yes"}).code, 0);
  ASSERT_EQ(Run({"partition", "hold", "t_0", "--reason", "case 4712", "--yes"}).code, 0);
  ASSERT_EQ(Run({"partition", "release", "t_0", "--yes"}).code, 0);
  ASSERT_EQ(Export().code, 0);
  EXPECT_EQ(Said(),
            "hold public.t_0, release public.t_0, hold public.t_0, release public.t_0, "
            "detached public.t_0, exported public.t_0, dropped public.t_0, "
            "detached public.t_1, exported public.t_1, dropped public.t_1");
  EXPECT_EQ(Of("partition.hold", "reason"), "case 4711");
  EXPECT_EQ(Of("partition.release", "reason"), "case 4711");
  EXPECT_EQ(Of("partition.release", "held_by"), database_.Value("SELECT session_user"));
  for (const char* event : {"partition.exported", "partition.dropped"}) {
    EXPECT_EQ(Of(event, "run"), RunId());
    EXPECT_EQ(Of(event, "table"), "public.t");
    EXPECT_EQ(Of(event, "rows"), rows);
    EXPECT_EQ(Of(event, "file"), (folder_ / "public.t_0.copy").string());
    EXPECT_EQ(Of(event, "sha256"), database_.Value("SELECT sha256 FROM pgalter.retired"
                                                   " WHERE name = 'public.t_0'"));
  }
  EXPECT_EQ(Of("run.begun", "command"), "partition retain");
  EXPECT_EQ(Of("run.done", "run"), RunId());
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.audit_log WHERE os_user IS NULL"), 0);
  ExpectWhole();
  const std::string history = Run({"history"}).out;
  for (const char* said : {"case 4711", "public.t_0.copy, SHA-256 ", "partition retain"})
    EXPECT_THAT(history, HasSubstr(said));
  const fs::path out = folder_ / "report";
  ASSERT_EQ(Run({"report", RunId(), "--out", out.string()}).code, 0);
  std::ifstream file(out / "report.json");
  const boost::json::value report = boost::json::parse(
      std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()));
  const boost::json::array& partitions = report.at("partitions").as_array();
  ASSERT_EQ(partitions.size(), 10U) << "the hold is of its partition";
  EXPECT_EQ(partitions[0].at("reason"), "case 4711");
  EXPECT_EQ(std::string(partitions[5].at("sha256").as_string()),
            Of("partition.exported", "sha256"));
  EXPECT_GT(report.at("audit").at("entries").as_int64(), 0);
}

TEST_F(RetainLogged, WhatComesBackIsInTheAuditLog) {
  ASSERT_EQ(Retain({"--keep", "2"}).code, 0);
  const std::string run = RunId();
  ASSERT_EQ(Run({"revert", run, "--yes"}).code, 0);
  EXPECT_EQ(Said(),
            "detached public.t_0, detached public.t_1, attached public.t_1, "
            "attached public.t_0");
  EXPECT_EQ(Of("partition.attached", "run"), run);
  EXPECT_EQ(database_.Value("SELECT string_agg(event, ' ' ORDER BY seq) FROM pgalter.audit_log"
                            " WHERE event LIKE 'run.%'"),
            "run.begun run.done run.reverting run.reverted");
  ExpectWhole();
}

// By nobody's command.
TEST_F(RetainLogged, AHoldThatGoesBySqlIsInTheAuditLog) {
  ASSERT_EQ(Run({"partition", "hold", "t_0", "--reason", "a", "--yes"}).code, 0);
  ASSERT_EQ(Run({"partition", "hold", "t_1", "--reason", "b", "--yes"}).code, 0);
  const std::string before = database_.Value("SELECT max(seq) FROM pgalter.audit_log");
  database_.Sql(
      "SET session_replication_role = replica; DELETE FROM pgalter.legal_hold WHERE reason = 'a';"
      "TRUNCATE pgalter.legal_hold; RESET session_replication_role");
  EXPECT_EQ(Said(before), "release public.t_0, release public.t_1");
  ExpectWhole();
}

// Nobody but its owner may call what writes the log.
TEST_F(RetainLogged, IsWrittenForWhoeverMayHold) {
  const std::string role = database_.name() + "_keeper";
  ASSERT_EQ(Run({"init"}).code, 0);
  database_.Sql(fmt::format(
      "CREATE ROLE \"{0}\" LOGIN; GRANT USAGE ON SCHEMA pgalter TO \"{0}\"; GRANT SELECT, INSERT, "
      "UPDATE, DELETE ON ALL TABLES IN SCHEMA pgalter TO \"{0}\"; ALTER TABLE t_0 OWNER TO "
      "\"{0}\"; "
      "GRANT USAGE ON SCHEMA public TO \"{0}\"",
      role));
  const Ran held = Program(PGALTER_BINARY, {"partition", "hold", "t_0", "--reason", "mine", "--yes",
                                            "--dsn", database_.conninfo() + " user=" + role})
                       .Wait();
  EXPECT_EQ(held.code, 0) << held.err;
  EXPECT_EQ(database_.Value("SELECT db_user || ' ' || subject FROM pgalter.audit_log"),
            role + " public.t_0");
  database_.Sql(fmt::format(
      "ALTER TABLE t_0 OWNER TO CURRENT_USER; DROP OWNED BY \"{0}\"; DROP ROLE \"{0}\"", role));
}

std::string NameOf(const ::testing::TestParamInfo<const char*>& point) {
  std::string name = point.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

class RetainKilledAt : public PartitionRetain, public ::testing::WithParamInterface<const char*> {};

TEST_P(RetainKilledAt, ResumeEndsWithEveryRowInItsFile) {
  ASSERT_EQ(Export({fmt::format("PGALTER_FAIL_POINT={}", GetParam())}).code, kKilled);
  ResumeToTheEnd();
  EXPECT_EQ(Attached(), "t_2 t_3 t_4");
  EXPECT_EQ(Tables(), 3);
  EXPECT_TRUE(fs::exists(folder_ / "public.t_0.copy"));
  EXPECT_TRUE(fs::exists(folder_ / "public.t_1.copy"));
}

// Whatever cron calls next: else no partition would be made any more.
class RetainWasKilledAt : public RetainKilledAt {
 protected:
  void ExpectGoesOn(const Words& command) {
    ASSERT_EQ(Export({fmt::format("PGALTER_FAIL_POINT={}", GetParam())}).code, kKilled);
    AwaitNoRunner();
    const std::string left = RunId();
    const Ran ran = Run(command);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("goes on with run " + left));
    EXPECT_EQ(database_.Value("SELECT state FROM pgalter.run WHERE run = '" + left + "'"), "done");
    EXPECT_TRUE(fs::exists(folder_ / "public.t_1.copy"));
  }
};

TEST_P(RetainWasKilledAt, AndTheNextOneGoesOnWithIt) {
  ExpectGoesOn({"partition", "retain", "t", "--keep", "3", "--yes"});
}

TEST_P(RetainWasKilledAt, AndMaintainGoesOnWithIt) {
  ExpectGoesOn({"partition", "maintain", "t", "--premake", "3", "--yes"});
  EXPECT_GT(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 't'::regclass"), 3);
}

INSTANTIATE_TEST_SUITE_P(Points, RetainKilledAt,
                         ::testing::Values("retired", "exported", "partition-dropped"), &NameOf);
INSTANTIATE_TEST_SUITE_P(Points, RetainWasKilledAt,
                         ::testing::Values("retired", "exported", "partition-dropped"), &NameOf);

TEST_F(PartitionRetain, RefusesWhatItDoesNotUnderstand) {
  const auto says = [&](const Words& more, int code, const char* text) {
    const Ran ran = Retain(more);
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  };
  says({}, 2, "how much is kept");
  says({"--keep", "0"}, 2, "at least one range stays");
  says({"--keep", "long"}, 2, "is no time");
  says({"--keep", "2", "--hold", "1 day"}, 2, "--hold is for --drop and --export");
  says({"--keep", "2", "--export", "/nowhere/at/all"}, 2, "is no folder");
  EXPECT_EQ(Attached(), "t_0 t_1 t_2 t_3 t_4");
}

}  // namespace
}  // namespace pgalter::test
