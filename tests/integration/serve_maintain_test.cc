// `pgalter serve --maintain`: tables stay partitioned for as long as it runs, whatever goes wrong
// with one of them.
#include <boost/json/serialize.hpp>
#include <csignal>

#include "tests/integration/serve_world.h"
#include "tests/support/openmetrics.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class ServeMaintain : public Serve {
 protected:
  using Serve::Serve;

  // By days; the one of today alone.
  void MakeDays(const std::string& table) const {
    database_.Sql(fmt::format(
        "CREATE TABLE {0} (made date NOT NULL) PARTITION BY RANGE (made); DO $$ BEGIN EXECUTE "
        "format('CREATE TABLE {0}_0 PARTITION OF {0} FOR VALUES FROM (%L) TO (%L)', (now() AT TIME "
        "ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date + 1); END $$",
        table));
  }
  [[nodiscard]] std::string Parts(const std::string& table) const {
    return database_.Value(
        fmt::format("SELECT count(*) FROM pg_inherits WHERE inhparent = '{}'::regclass", table));
  }
  void AwaitParts(const std::string& table, const std::string& parts) const {
    database_.AwaitValue(
        fmt::format("SELECT count(*) FROM pg_inherits WHERE inhparent = '{}'::regclass", table),
        parts, kLimit);
  }
  [[nodiscard]] static Words Maintain(const Words& tables) {
    Words words = ServeWords({"--maintain-every", "1s"});
    for (const std::string& table : tables) words.insert(words.end(), {"--maintain", table});
    return words;
  }
  static json::object TableOf(int port, const std::string& name) {
    const json::object all = Json(port, "/api/maintenance");
    for (const json::value& table : all.at("tables").as_array())
      if (table.at("table").as_string() == name) return table.as_object();
    return {};
  }
  // What is said of the table, once it is so.
  static json::object AwaitTable(int port, const std::string& name, const std::string& outcome) {
    json::object table;
    const bool there = Within(kLimit, [&] {
      table = TableOf(port, name);
      const auto* said = table.if_contains("outcome");
      return said != nullptr && said->is_string() && said->get_string() == outcome;
    });
    EXPECT_TRUE(there) << name << ": " << json::serialize(table);
    return table;
  }
};

TEST_F(ServeMaintain, MakesWhatIsMissingAndWhatWillBe) {
  MakeDays("m");
  Program serve = Start(Maintain({"m,premake=2"}));
  const int port = PortOf(serve);
  AwaitParts("m", "3");
  AwaitTable(port, "public.m", "nothing to do");
  // Somebody, or time, takes what lies ahead.
  database_.Sql(
      "DO $$ BEGIN EXECUTE 'DROP TABLE ' || (SELECT max(inhrelid::regclass::text) FROM pg_inherits "
      "WHERE inhparent = 'm'::regclass AND inhrelid::regclass::text LIKE 'm\\_p%'); END $$");
  AwaitParts("m", "3");
  AwaitTable(port, "public.m", "nothing to do");
  const std::string body = Http(port, "GET", "/api/maintenance").body;
  ExpectValid("serve.json", body);
  const Metrics metrics = ReadOpenMetrics(Http(port, "GET", "/metrics").body);
  EXPECT_THAT(metrics.problems, testing::IsEmpty()) << metrics.Problems();
  EXPECT_EQ(metrics.At("pgalter_partitions_made_total{table=\"public.m\"}"), 3);
  EXPECT_EQ(metrics.At("pgalter_maintenance_failing{table=\"public.m\"}"), 0);
  EXPECT_GT(metrics.At("pgalter_maintenance_success_timestamp_seconds{table=\"public.m\"}"), 1.7e9);
  EXPECT_THAT(serve.SoFar().err, HasSubstr("made 2 partitions of public.m, which go up to '"));
}

TEST_F(ServeMaintain, OneThatFailsKeepsNoOtherFromIt) {
  MakeDays("m");
  database_.Sql("CREATE TABLE plain (id int)");
  Program serve = Start(Maintain({"plain", "m,premake=1", "nowhere"}));
  const int port = PortOf(serve);
  AwaitParts("m", "2");
  const json::object failed = AwaitTable(port, "plain", "failed");
  EXPECT_THAT(std::string(failed.at("problem").as_string()),
              HasSubstr("public.plain is not partitioned. To make it so"));
  EXPECT_TRUE(Within(kLimit, [&] { return TableOf(port, "plain").at("failing").as_int64() > 1; }));
  AwaitTable(port, "nowhere", "failed");
  AwaitTable(port, "public.m", "nothing to do");
  const Metrics metrics = ReadOpenMetrics(Http(port, "GET", "/metrics").body);
  EXPECT_GT(metrics.At("pgalter_maintenance_failures_total{table=\"plain\"}"), 1);
  EXPECT_EQ(metrics.At("pgalter_maintenance_failures_total{table=\"public.m\"}"), 0);
  // Once it is as it should be, it is maintained again.
  database_.Sql("DROP TABLE plain");
  MakeDays("plain");
  AwaitParts("plain", "5");
  EXPECT_TRUE(Within(kLimit, [&] {
    return serve.SoFar().err.find("public.plain is maintained again") != std::string::npos;
  })) << serve.SoFar().err;
  ExpectValid("serve.json", Http(port, "GET", "/api/maintenance").body);
}

TEST_F(ServeMaintain, AllAreThoseThatTheRoleOwnsAndCanCountOn) {
  MakeDays("m");
  MakeDays("other");
  database_.Sql(
      "CREATE TABLE letters (c text) PARTITION BY RANGE (c); CREATE TABLE hashed (id int) "
      "PARTITION "
      "BY HASH (id); DO $$ BEGIN IF to_regrole('serve_owner') IS NULL THEN CREATE ROLE serve_owner "
      "LOGIN; END IF; END $$; ALTER TABLE m OWNER TO serve_owner; GRANT CREATE ON SCHEMA public TO "
      "serve_owner; DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO serve_owner', "
      "current_database()); END $$");
  user_ = "serve_owner";
  Program serve = Start(Maintain({"all,premake=1"}));
  const int port = PortOf(serve);
  AwaitTable(port, "public.m", "nothing to do");
  EXPECT_EQ(Parts("m"), "2");
  EXPECT_EQ(Parts("other"), "1");
  EXPECT_EQ(Json(port, "/api/maintenance").at("tables").as_array().size(), 1U);
  // One that comes, and one that goes.
  database_.Sql(
      "SET ROLE serve_owner; CREATE TABLE late (made date NOT NULL) PARTITION BY RANGE "
      "(made); CREATE TABLE late_0 PARTITION OF late FOR VALUES FROM ('2020-01-01') TO "
      "('2020-02-01'); DROP TABLE m");
  AwaitTable(port, "public.late", "nothing to do");
  EXPECT_TRUE(Within(kLimit, [&] { return TableOf(port, "public.m").empty(); }));
}

// It has nothing to maintain, and fails nobody.
TEST_F(ServeMaintain, OneWithoutARangeIsSaidOnceAmongAll) {
  MakeDays("m");
  database_.Sql(
      "CREATE TABLE bare (made date NOT NULL) PARTITION BY RANGE (made); CREATE TABLE rest (made "
      "date NOT NULL) PARTITION BY RANGE (made); CREATE TABLE rest_default PARTITION OF rest "
      "DEFAULT");
  Program serve = Start(Maintain({"all,premake=1"}));
  const int port = PortOf(serve);
  AwaitTable(port, "public.m", "nothing to do");
  EXPECT_EQ(Json(port, "/api/maintenance").at("tables").as_array().size(), 1U);
  // Time passes: it is looked for all of them every second.
  database_.Sql("DROP TABLE m_0 CASCADE; DROP TABLE m");
  MakeDays("late");
  AwaitTable(port, "public.late", "nothing to do");
  const std::string said = serve.SoFar().err;
  for (const char* table : {"public.bare has no range", "public.rest has no range"}) {
    EXPECT_THAT(said, HasSubstr(table));
    EXPECT_EQ(said.find(table), said.rfind(table)) << said;
  }
  // Once it has a range, it is maintained.
  const Ran added =
      Run({"partition", "add", "bare", "--from", "2020-01-01", "--to", "2020-02-01", "--yes"});
  EXPECT_EQ(added.code, 0) << added.err;
  AwaitTable(port, "public.bare", "nothing to do");
}

TEST_F(ServeMaintain, ThePageIsToldAsItGoes) {
  MakeDays("m");
  Program serve = Start(Maintain({"m,premake=1"}));
  const int port = PortOf(serve);
  HttpEvents events(port, "/api/events");
  const json::object told = EventLike(events, "maintenance", [](const json::object& data) {
    const auto& tables = data.at("tables").as_array();
    return !tables.empty() && !tables[0].at("outcome").is_null();
  });
  ExpectValid("serve.json", json::serialize(told));
  EXPECT_EQ(told.at("every_s").to_number<double>(), 1);
}

// The command's turn: of two servers, and of cron beside one, only one is at a table.
TEST_F(ServeMaintain, TwoServersAreNeverAtOneTableTogether) {
  MakeDays("m");
  Session other = database_.Connect();
  other.Exec("SELECT pg_advisory_lock(x'70676d74'::int, 'm'::regclass::oid::int)");
  Program serve = Start(Maintain({"m,premake=1"}));
  const int port = PortOf(serve);
  AwaitTable(port, "public.m", "elsewhere");
  const Ran cron = Run({"partition", "maintain", "m", "--yes"});
  EXPECT_EQ(cron.code, 0) << cron.err;
  EXPECT_THAT(cron.out, HasSubstr("somebody else maintains public.m at this moment"));
  EXPECT_EQ(Parts("m"), "1");
  const Metrics metrics = ReadOpenMetrics(Http(port, "GET", "/metrics").body);
  EXPECT_EQ(metrics.families.count("pgalter_maintenance_success_timestamp_seconds"), 0U);
  other.Exec("SELECT pg_advisory_unlock_all()");
  Program second = Start(Maintain({"m,premake=1"}));
  const int second_port = PortOf(second);
  AwaitParts("m", "2");
  AwaitTable(port, "public.m", "nothing to do");
  AwaitTable(second_port, "public.m", "nothing to do");
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.run"), 1);
}

// Who waits for the table is not waited for: it fails, says by whom, and comes again.
TEST_F(ServeMaintain, EndsCleanlyInTheMiddleAndTheNextServerGoesOn) {
  MakeDays("m");
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE m IN ACCESS EXCLUSIVE MODE");
  Program serve = Start(Maintain({"m,premake=1"}));
  const int port = PortOf(serve);
  EXPECT_TRUE(Within(kLimit, [&] {
    const json::object table = TableOf(port, "public.m");
    const json::object named = TableOf(port, "m");
    return (!named.empty() && named.at("working").as_bool()) ||
           (!table.empty() && table.at("working").as_bool());
  }));
  serve.Signal(SIGTERM);
  EXPECT_EQ(serve.Wait(std::chrono::seconds(30)).code, 0);
  holder.Exec("ROLLBACK");
  Program next = Start(Maintain({"m,premake=1"}));
  PortOf(next);
  AwaitParts("m", "2");
}

// The first look at a table may be minutes away.
TEST_F(ServeMaintain, SaysAtOnceThatANameIsNoTables) {
  Words words = ServeWords({"--maintain-every", "24h"});
  for (int i = 0; i < 5; ++i)
    words.insert(words.end(), {"--maintain", fmt::format("nowhere_{}", i)});
  Program serve = Start(words);
  EXPECT_TRUE(Within(kLimit / 4, [&] {
    const std::string said = serve.SoFar().err;
    for (int i = 0; i < 5; ++i)
      if (said.find(fmt::format("cannot maintain nowhere_{}", i)) == std::string::npos)
        return false;
    return true;
  })) << serve.SoFar().err;
}

TEST_F(ServeMaintain, RefusesWhatItCannotMean) {
  MakeDays("m");
  for (const auto& [words, text] :
       {std::pair<Words, const char*>{{"--maintain", "m,premade=2"}, "\"premade=2\" is not known"},
        {{"--maintain", ""}, "which table?"},
        {{"--maintain", "m", "--maintain-every", "soon"}, "--maintain-every \"soon\""},
        {{"--maintain-every", "1h"}, "but nothing is maintained"},
        {{"--maintain", "m,premake=x"}, "premake \"x\" is no number"},
        {{"--maintain", "m", "--maintain", "m,premake=2"}, "--maintain names m twice"},
        {{"--maintain", "m", "--maintain", "public.m"}, "twice, as m and as public.m"},
        {{"--maintain", "all,time-zone=Europe/Berln"},
         "cannot maintain all: --time-zone \"Europe/Berln\" is not known to the server"}}) {
    const Ran ran = Run(ServeWords(words));
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  }
}

class ServeMaintainAcrossACrash : public ServeMaintain {
 protected:
  ServeMaintainAcrossACrash() : ServeMaintain(Own()) {}
  static sandbox::Sandbox& Own() {
    static sandbox::Sandbox server = sandbox::Sandbox::Start(TestServerOptions());
    return server;
  }
};

TEST_F(ServeMaintainAcrossACrash, GoesOnOnceTheServerIsThere) {
  MakeDays("m");
  Program serve = Start(Maintain({"all,premake=1"}));
  const int port = PortOf(serve);
  AwaitTable(port, "public.m", "nothing to do");
  Own().Crash();
  AwaitTable(port, "public.m", "failed");
  EXPECT_TRUE(
      Within(kLimit, [&] { return !Json(port, "/api/maintenance").at("problem").is_null(); }));
  Own().Restart();
  AwaitTable(port, "public.m", "nothing to do");
  EXPECT_TRUE(
      Within(kLimit, [&] { return Json(port, "/api/maintenance").at("problem").is_null(); }));
}

}  // namespace
}  // namespace pgalter::test
