// The evidence report: what is in its directory, that it can be checked without the database, and
// that nothing is in it that must not be.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kMismatch = 7;
constexpr int kUnsupported = 10;

// A name, and a text in a row, that a page must not take for its own.
constexpr const char* kHostile = "<script>alert(1)</script>";

int Shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string Text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class Report : public MigrationWorld {
 protected:
  // Of the owner, without a directory of migrations.
  Ran Pgalter(Words words) const {
    words.insert(words.end(), {"--dsn", database_.conninfo()});
    return Program(PGALTER_BINARY, words).Wait();
  }
  [[nodiscard]] fs::path Out() const { return Path("beside/report"); }
  Ran Make(Words about) const {
    about.insert(about.begin(), "report");
    about.insert(about.end(), {"--out", Out().string()});
    return Pgalter(about);
  }
  [[nodiscard]] json::object Json() const {
    return json::parse(Text(Out() / "report.json")).as_object();
  }
  [[nodiscard]] bool SumsHold() const {
    return Shell(fmt::format("cd '{}' && sha256sum -c --strict --quiet SHA256SUMS >/dev/null 2>&1",
                             Out().string())) == 0;
  }
  // A migration of a table with a hostile name, that needs an approval and has it.
  std::string ApplyApproved() const {
    EXPECT_EQ(Pgalter({"init"}).code, kDone);
    database_.Sql(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'report_dba') THEN"
        " CREATE ROLE report_dba; CREATE ROLE report_ann LOGIN IN ROLE report_dba; END IF; END $$;"
        "GRANT USAGE ON SCHEMA pgalter TO report_ann;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA pgalter TO report_ann;"
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgalter TO report_ann");
    Write("20260101000000_before.sql", "-- pgalter:up\nCREATE TABLE public.before (id int);\n");
    EXPECT_EQ(Up().code, kDone);
    Write("beside/policy.toml",
          "[env.test]\ndsn = \"" + database_.conninfo() +
              "\"\n[env.test.policy]\nquorum = { technical = \"report_dba\" }\n");
    const std::string file = Path("beside/policy.toml").string();
    const Words set{"policy", "set", "--env", "test", "--config", file, "--yes"};
    EXPECT_EQ(Program(PGALTER_BINARY, set).Wait().code, kDone);
    Write("20260102000000_hostile.sql",
          fmt::format("-- pgalter:up\nCREATE TABLE public.\"{0}\" (id int);\n"
                      "-- pgalter:verify\nSELECT count(*) = 0 FROM public.\"{0}\";\n"
                      "-- pgalter:down\nDROP TABLE public.\"{0}\";\n",
                      kHostile));
    EXPECT_EQ(Run({"request", "--reason", kHostile}).code, kDone);
    const Ran approved =
        Program(PGALTER_BINARY, {"approve", "1", "--meaning", "technical", "--name", "Ann <b>",
                                 "--yes", "--dsn", database_.conninfo() + " user=report_ann"})
            .Wait();
    EXPECT_EQ(approved.code, kDone) << approved.err;
    const Ran up = Up();
    EXPECT_EQ(up.code, kDone) << up.err;
    return database_.Value("SELECT run FROM pgalter.migration WHERE version = '20260102000000'");
  }
};

TEST_F(Report, OfAnApprovedMigrationIsWholeAndCanBeCheckedWithoutTheDatabase) {
  const std::string run = ApplyApproved();
  const Ran made = Make({run.substr(0, 13)});
  ASSERT_EQ(made.code, kDone) << made.err;
  EXPECT_TRUE(SumsHold());
  const json::object report = Json();
  EXPECT_EQ(report.at("runs").as_array().size(), 1);
  EXPECT_EQ(report.at("runs").at(0).at("state").as_string(), "done");
  for (const json::value& step : report.at("runs").at(0).at("steps").as_array()) {
    EXPECT_EQ(step.at("state").as_string(), "done");
    EXPECT_GE(step.at("duration_s").to_number<double>(), 0);
  }
  EXPECT_EQ(report.at("migrations").as_array().size(), 1);
  EXPECT_EQ(report.at("migrations").at(0).at("state").as_string(), "applied");
  const json::value& request = report.at("requests").at(0);
  EXPECT_EQ(request.at("run").as_string(), run);
  EXPECT_EQ(request.at("approvals").at(0).at("by").as_string(), "report_ann");
  EXPECT_TRUE(report.at("audit").at("whole").as_bool());

  // The migration before it, and the policy, are in front of the part that is copied.
  const std::string slice = (Out() / "audit.jsonl").string();
  EXPECT_THAT(Text(slice), Not(HasSubstr("20260101000000")));
  const Ran verified = Program(PGALTER_BINARY, {"audit", "verify", slice}).Wait();
  EXPECT_EQ(verified.code, kDone) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr(report.at("audit").at("anchor").as_string().c_str()));
  EXPECT_THAT(verified.out, HasSubstr(report.at("audit").at("after").as_string().c_str()));
  EXPECT_EQ(Pgalter({"audit", "anchor"}).out,
            std::string(report.at("audit").at("anchor").as_string()) + "\n");
}

TEST_F(Report, CountsTheRowsThatAMigrationHasChanged) {
  WriteOrders();
  ASSERT_EQ(Up().code, kDone);
  // Steps behind it count none.
  const std::string run =
      database_.Value("SELECT run FROM pgalter.migration WHERE version = '20260102000000'");
  ASSERT_EQ(Make({run}).code, kDone);
  EXPECT_EQ(Json().at("runs").at(0).at("done_rows").to_number<int>(), 2000);
}

TEST_F(Report, AChangedByteIsFound) {
  ASSERT_EQ(Make({ApplyApproved()}).code, kDone);
  const std::string slice = (Out() / "audit.jsonl").string();
  std::string text = Text(slice);
  const std::string anchor(Json().at("audit").at("anchor").as_string());
  const std::string after(Json().at("audit").at("after").as_string());
  const auto verify = [&](const std::string& now, Words more = {}) {
    std::ofstream(slice, std::ios::binary) << now;
    more.insert(more.begin(), {"audit", "verify", slice});
    return Program(PGALTER_BINARY, more).Wait();
  };
  EXPECT_EQ(verify(text, {"--anchor", anchor}).code, kDone);
  EXPECT_EQ(verify(text, {"--anchor", after}).code, kDone);
  // What lies in front of the part cannot be shown by it.
  EXPECT_EQ(verify(text, {"--anchor", "1:" + std::string(64, '0')}).code, kMismatch);
  std::string changed = text;
  changed.replace(changed.find("report_ann"), 10, "report_eve");
  EXPECT_EQ(verify(changed).code, kMismatch);
  EXPECT_FALSE(SumsHold());
  // Without its first entry, or with another beginning.
  const std::size_t first = text.find('\n') + 1;
  const std::size_t second = text.find('\n', first) + 1;
  EXPECT_EQ(verify(text.substr(0, first) + text.substr(second)).code, kMismatch);
  EXPECT_EQ(verify(text.substr(first)).code, kMismatch);
  // Its end cut off is found against the anchor.
  const std::string shorter = text.substr(0, text.rfind('\n', text.size() - 2) + 1);
  EXPECT_EQ(verify(shorter).code, kDone);
  EXPECT_EQ(verify(shorter, {"--anchor", anchor}).code, kMismatch);
  EXPECT_EQ(verify(text).code, kDone);
  EXPECT_TRUE(SumsHold());
}

TEST_F(Report, ThePageEscapesNamesAndLoadsNothing) {
  ASSERT_EQ(Make({ApplyApproved()}).code, kDone);
  const std::string page = Text(Out() / "report.html");
  EXPECT_THAT(page,
              AllOf(HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"), HasSubstr("Ann &lt;b&gt;"),
                    Not(HasSubstr("<script")), HasSubstr("@media print"), Not(HasSubstr("http://")),
                    Not(HasSubstr("https://")), Not(HasSubstr(" src=")), Not(HasSubstr("<link")),
                    Not(HasSubstr("url("))));
}

TEST_F(Report, HoldsNoValueOfARowAndNoConnection) {
  ASSERT_EQ(Pgalter({"init"}).code, kDone);
  database_.Sql(
      "CREATE TABLE public.person (id int PRIMARY KEY, name text, mail text);"
      "INSERT INTO public.person VALUES (1, 'kaspar-hauser', 'secret-mail'), (2, NULL, NULL)");
  const Ran role =
      Pgalter({"run", "--yes", "--sql", "CREATE ROLE report_login PASSWORD 'hush-hush'"});
  EXPECT_EQ(role.code, kDone) << role.err;
  database_.Sql("DROP ROLE report_login");
  // The run's failure quotes the row.
  const Ran failing = Pgalter(
      {"run", "--yes", "--sql", "ALTER TABLE public.person ADD CHECK (name::int > 0) NO INHERIT"});
  EXPECT_NE(failing.code, kDone);
  EXPECT_THAT(database_.Value("SELECT failure FROM pgalter.run WHERE failure IS NOT NULL"),
              HasSubstr("kaspar-hauser"));
  ASSERT_EQ(Make({"--since", "2020-01-01"}).code, kDone);
  const json::object report = Json();
  EXPECT_EQ(report.at("runs").as_array().size(), 2);
  EXPECT_TRUE(report.at("runs").at(1).at("failed").as_bool());
  EXPECT_GE(report.at("hidden").as_int64(), 1);
  for (const fs::directory_entry& entry : fs::directory_iterator(Out())) {
    const std::string text = Text(entry.path());
    for (const char* secret : {"kaspar-hauser", "secret-mail", "hush-hush", "host=", "port="})
      EXPECT_THAT(text, Not(HasSubstr(secret))) << entry.path();
  }
}

TEST_F(Report, ItsJsonIsWhatItsSchemaSays) {
  ASSERT_EQ(Make({ApplyApproved()}).code, kDone);
  const int code = Shell(
      fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/report.json' '{1}/report.json'",
                  PGALTER_SOURCE_DIR, Out().string()));
  constexpr int kSkipped = 77;
  if (code == kSkipped) GTEST_SKIP() << "the judge cannot be had";
  EXPECT_EQ(code, 0) << Text(Out() / "report.json");
}

TEST_F(Report, HasTheFilesAsTheyWereRunAndNoOthers) {
  EXPECT_EQ(Pgalter({"init"}).code, kDone);
  const std::string first = "-- pgalter:up\nCREATE TABLE public.a (id int); -- <b>why</b>\n";
  Write("1_a.sql", first);
  Write("2_b.sql", "-- pgalter:up\nCREATE TABLE public.b (id int);\n");
  Write("3_c.sql", "-- PASSWORD 'hush-hush'\n-- pgalter:up\nCREATE TABLE public.c (id int);\n");
  Write("4_d.sql", "-- pgalter:up\nCREATE TABLE public.d (id int);\n");
  Write("6\n_f\\.sql", "-- pgalter:up\nCREATE TABLE public.f (id int);\n");
  Write("5_e.sql", "-- pgalter:up\nCREATE TABLE public.e (id int);\n");
  ASSERT_EQ(Up().code, kDone);
  Write("4_d.sql", "-- pgalter:up\nCREATE TABLE public.d (id bigint);\n");
  Remove("5_e.sql");
  const std::string outside = directory_ + "-outside.sql";
  std::ofstream(outside) << first;
  database_.Sql("UPDATE pgalter.migration SET file = '../" + fs::path(outside).filename().string() +
                "' WHERE version = '2'");
  EXPECT_EQ(Make({"--since", "2020-01-01", "--dir", "absent"}).code, kUsage);
  const Ran made = Make({"--since", "2020-01-01", "--dir", directory_});
  // The row was changed by hand, which the log does not know of; the report is there.
  EXPECT_TRUE(SumsHold()) << made.err;
  const std::map<std::string, std::string> why{{"2", "leads out"},
                                               {"3", "password"},
                                               {"4", "not the one in the history"},
                                               {"5", "cannot be read"}};
  const json::object report = Json();
  EXPECT_EQ(report.at("texts").as_array().size(), 6U);
  for (const json::value& text : report.at("texts").as_array()) {
    const std::string version(text.at("version").as_string());
    SCOPED_TRACE(version);
    const auto expected = why.find(version);
    EXPECT_EQ(text.at("copy").is_null(), expected != why.end());
    if (expected == why.end()) continue;
    EXPECT_THAT(std::string(text.at("why").as_string()), HasSubstr(expected->second));
  }
  EXPECT_EQ(Text(Out() / "migration-1_a.sql"), first);
  EXPECT_THAT(Text(Out() / "report.html"), HasSubstr("&lt;b&gt;why"));
  for (const fs::directory_entry& entry : fs::directory_iterator(Out()))
    EXPECT_THAT(Text(entry.path()), Not(HasSubstr("hush-hush"))) << entry.path();
  fs::remove(outside);
}

TEST_F(Report, AProfileAsksAndTheReportAnswers) {
  const std::string run = ApplyApproved();
  EXPECT_EQ(Make({run, "--profile", "sox"}).code, kUsage);
  EXPECT_FALSE(fs::exists(Out()));
  const auto answers = [&](const char* profile, const std::string& about) {
    fs::remove_all(Out());
    const Ran made = Make({about, "--profile", profile});
    EXPECT_EQ(made.code, kDone) << made.err;
    EXPECT_TRUE(SumsHold());
    std::map<std::string, std::string> by_question;
    const json::value report = Json();
    for (const json::value& item : report.at("profile").at("items").as_array()) {
      by_question[std::string(item.at("asks").as_string())] = item.at("answer").as_string();
      const std::string where(item.at("where").as_string());
      if (!where.empty()) {
        EXPECT_THAT(Text(Out() / "report.html"), HasSubstr(where + "</h2>")) << "where it links to";
      }
    }
    return by_question;
  };
  auto part11 = answers("part11", run);
  EXPECT_EQ(part11["A signature shows name, time and meaning"], "shown");
  EXPECT_EQ(part11["Only those who may sign, and may do it"], "shown");
  EXPECT_EQ(part11["Altered records are discerned"], "shown");
  EXPECT_EQ(part11["Each change is described"], "missing");
  EXPECT_EQ(part11["A signature is of one person"], "attest");
  const json::value signature = Json().at("profile").at("signatures").at(0);
  EXPECT_EQ(signature.at("by").as_string(), "report_ann");
  EXPECT_EQ(signature.at("plan_sha256").as_string(),
            database_.Value("SELECT plan_sha256 FROM pgalter.request"));
  const std::string page = Text(Out() / "report.html");
  EXPECT_THAT(page, AllOf(HasSubstr("Signature manifest</h2>"), HasSubstr("Ann &lt;b&gt;"),
                          HasSubstr("To be attested by you</h2>"), HasSubstr("in this report"),
                          Not(HasSubstr("<script")), Not(HasSubstr("compliant"))));

  auto hipaa = answers("hipaa", run);
  EXPECT_EQ(hipaa["Audit controls"], "shown");
  EXPECT_EQ(hipaa["There is a backup"], "missing");
  EXPECT_TRUE(Json().at("profile").at("signatures").is_null());
  auto gobd = answers("gobd", run);
  EXPECT_EQ(gobd["What was written down is as it was written"], "shown");
  EXPECT_EQ(gobd["Kept for as long as the law says"], "attest");

  // What was tampered with is no answer.
  database_.Sql(
      "ALTER TABLE pgalter.audit_log DISABLE TRIGGER ALL;"
      "UPDATE pgalter.audit_log SET db_user = 'nobody' WHERE seq = 2");
  fs::remove_all(Out());
  EXPECT_EQ(Make({run, "--profile", "gobd"}).code, kMismatch);
  const json::value tampered = Json();
  for (const json::value& item : tampered.at("profile").at("items").as_array()) {
    if (item.at("asks").as_string() == "What was written down is as it was written") {
      EXPECT_EQ(item.at("answer").as_string(), "missing");
    }
  }
}

TEST_F(Report, AProfileIsWhatItsSchemaSays) {
  ASSERT_EQ(Make({ApplyApproved(), "--profile", "part11"}).code, kDone);
  const int code = Shell(
      fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/report.json' '{1}/report.json'",
                  PGALTER_SOURCE_DIR, Out().string()));
  constexpr int kSkipped = 77;
  if (code == kSkipped) GTEST_SKIP() << "the judge cannot be had";
  EXPECT_EQ(code, 0) << Text(Out() / "report.json");
}

TEST_F(Report, ARunWithoutMigrationsSaysSo) {
  ASSERT_EQ(Pgalter({"init"}).code, kDone);
  database_.Sql("CREATE TABLE public.plain (id int)");
  const Ran ran =
      Pgalter({"run", "--yes", "--sql", "ALTER TABLE public.plain ADD COLUMN note text"});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  ASSERT_EQ(Make({database_.Value("SELECT run FROM pgalter.run")}).code, kDone);
  EXPECT_THAT(Text(Out() / "report.html"),
              AllOf(HasSubstr("Nobody has asked for any."), HasSubstr("ADD COLUMN"),
                    HasSubstr("None was held, released")));
  EXPECT_THAT(Text(Out() / "audit.jsonl"), AllOf(HasSubstr("run.begun"), HasSubstr("run.done")));
  EXPECT_TRUE(SumsHold());
}

TEST_F(Report, ALogThatWasChangedIsAMismatchAndSaysWhere) {
  const std::string run = ApplyApproved();
  database_.Sql(
      "ALTER TABLE pgalter.audit_log DISABLE TRIGGER ALL;"
      "UPDATE pgalter.audit_log SET db_user = 'nobody' WHERE seq = 2");
  const Ran made = Make({run});
  EXPECT_EQ(made.code, kMismatch);
  EXPECT_EQ(Json().at("audit").at("first_bad").as_int64(), 2);
  EXPECT_TRUE(SumsHold());
}

TEST_F(Report, WhatIsThereIsLeftAlone) {
  const std::string run = ApplyApproved();
  Write("beside/report/kept.txt", "mine");
  EXPECT_EQ(Make({run}).code, kUsage);
  EXPECT_EQ(std::distance(fs::directory_iterator(Out()), fs::directory_iterator()), 1);
  fs::remove(Out() / "kept.txt");
  EXPECT_EQ(Make({run}).code, kDone);
  EXPECT_EQ(Make({run}).code, kUsage);
}

TEST_F(Report, WrongWordsAndAMissingRightWriteNothing) {
  const std::string run = ApplyApproved();
  EXPECT_EQ(Pgalter({"report", run}).code, kUsage);
  EXPECT_EQ(Make({}).code, kUsage);
  EXPECT_EQ(Make({run, "--since", "2026-01-01"}).code, kUsage);
  EXPECT_EQ(Make({"--since", "yesteryear"}).code, kUsage);
  EXPECT_EQ(Make({"00000000"}).code, kUsage);
  database_.Sql("REVOKE SELECT ON pgalter.approval FROM report_ann");
  const Ran refused = Program(PGALTER_BINARY, {"report", run, "--out", Out().string(), "--dsn",
                                               database_.conninfo() + " user=report_ann"})
                          .Wait();
  EXPECT_EQ(refused.code, kUnsupported) << refused.err;
  EXPECT_FALSE(fs::exists(Out()));
}

}  // namespace
}  // namespace pgalter::test
