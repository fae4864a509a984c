// Secrets and values are planted wherever pgalter meets them; then everything that it has written
// is searched for them: its log, reports, the audit trail, metrics, what the dashboard sends, and
// its own tables.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/fault/rebuild_world.h"
#include "tests/support/http.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::HasSubstr;

// Nobody but their owner may ever read them.
constexpr const char* kPassword = "geheim-password-1";
constexpr const char* kBound = "geheim-bound-2";
constexpr const char* kHookKey = "geheim-hook-3";
constexpr const char* kToken = "geheim-token-4-of-the-dashboard";
// A terminal may show them to whoever sits there (a server's message quotes a value); what is kept
// may not.
constexpr const char* kRow = "geheim-row-5";
constexpr const char* kUserLiteral = "geheim-user-6";
constexpr const char* kFileLiteral = "geheim-file-7";

class Redaction : public RebuildWorld {
 protected:
  Redaction() {
    std::string name = (fs::temp_directory_path() / "pgalter-redaction-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder");
    folder_ = name;
    fs::create_directory(folder_ / "migrations");
    fs::create_directory(folder_ / "hooks");
  }
  ~Redaction() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] std::string Read(const fs::path& file) const {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] Words Logged(Words words) const {
    words.insert(words.end(), {"--log-file", (folder_ / "log").string(), "--log-format", "json"});
    return words;
  }
  [[nodiscard]] Words Surroundings() const {
    return {"PGALTER_DSN=" + database_.conninfo() + " password=" + kPassword,
            fmt::format("SECRET={}", kBound), fmt::format("HOOK_KEY={}", kHookKey),
            fmt::format("HOOK_URL=http://127.0.0.1:1/{}", kHookKey)};
  }
  // What it says is kept, to be searched for secrets.
  Ran Say(const Words& words) {
    commands_.insert(words.front());
    const Ran ran = Program(PGALTER_BINARY, Logged(words), Surroundings()).Wait(kLimit);
    said_ += fmt::format("\n== {}: {}\n{}{}", fmt::join(words, " "), ran.code, ran.out, ran.err);
    return ran;
  }
  void MustSay(const Words& words, int code = 0) {
    const Ran ran = Say(words);
    EXPECT_EQ(ran.code, code) << fmt::format("{}\n", fmt::join(words, " ")) << ran.out << ran.err;
  }
  [[nodiscard]] Words InMigrations(Words words) const {
    words.insert(words.end(), {"--dir", (folder_ / "migrations").string()});
    return words;
  }

  void MakePlanted() {
    MakeItems(kRows);
    database_.Sql(
        fmt::format("UPDATE items SET note = '{}' WHERE id IN (2990, 17);"
                    "ALTER TABLE items ADD n int, ADD s text",
                    kRow));
    database_.Sql("VACUUM ANALYZE items");
    Write("pgalter.toml",
          "[hooks]\ndirectory = \"hooks\"\n[[webhook]]\nurl = \"env:HOOK_URL\"\n"
          "secret = \"env:HOOK_KEY\"\nevents = [\"done\", \"failed\"]\n");
  }
  [[nodiscard]] Words Configured(Words words) const {
    words.insert(words.end(), {"--config", (folder_ / "pgalter.toml").string()});
    return words;
  }

  static void ExpectWithout(const std::string& what, const std::string& text,
                            const std::vector<const char*>& planted) {
    EXPECT_FALSE(text.empty()) << what << " is empty: nothing was searched";
    for (const char* word : planted) {
      const auto at = text.find(word);
      if (at == std::string::npos) continue;
      const auto from = at < 200 ? 0 : at - 200;
      ADD_FAILURE() << what << " holds " << word << ": …" << text.substr(from, 400) << "…";
    }
  }
  static std::vector<const char*> Secrets() { return {kPassword, kBound, kHookKey, kToken}; }
  static std::vector<const char*> All() {
    return {kPassword, kBound, kHookKey, kToken, kRow, kUserLiteral, kFileLiteral};
  }
  // Every row of every table of ours, as text.
  [[nodiscard]] std::string OwnTables() const {
    std::string text;
    const Rows tables = database_.Sql(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE n.nspname = 'pgalter' AND c.relkind = 'r'");
    for (const auto& row : tables)
      text += database_.Value(
          fmt::format("SELECT COALESCE(string_agg(t::text, E'\\n'), '') FROM {} t", row.at(0)));
    return text;
  }
  void ExpectLogOfObjects() const {
    std::istringstream lines(Read(folder_ / "log"));
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      const json::object object = json::parse(line).as_object();
      for (const char* key : {"ts", "level", "pid", "command", "msg"})
        EXPECT_TRUE(object.contains(key)) << line;
    }
    EXPECT_GT(count, 20);
  }

  fs::path folder_;
  std::string said_;
  std::set<std::string> commands_;
};

TEST_F(Redaction, OfRowsThatAreChangedAndCopied) {
  MakePlanted();
  Write("hooks/failed", "#!/bin/sh\nexit 0\n");
  fs::permissions(folder_ / "hooks" / "failed", fs::perms::owner_all);
  // A value that cannot be cast, which the server quotes; a bound one, which it may not.
  MustSay(Configured({"backfill", "items", "--set", "n = note::int", "--yes", "--sync", "none"}),
          1);
  EXPECT_THAT(said_, HasSubstr("22P02"));
  MustSay({"status", RunId()});
  MustSay({"abort", RunId(), "--yes"});
  MustSay(Configured({"backfill", "items", "--set", "n = note::int", "--yes", "--sync", "none",
                      "--on-error", "quarantine"}));
  MustSay({"status", RunId()});
  MustSay(Configured({"backfill", "items", "--set", "s = :key", "--bind", "key=env:SECRET",
                      "--where", "s IS NULL", "--yes", "--sync", "none"}));
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM items WHERE s = '{}'", kBound)), kRows);
  MustSay({"ps"});
  MustSay({"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--yes"});
  static_cast<void>(Say({"verify", RunId()}));
  MustSay({"revert", RunId(), "--yes"});
  static_cast<void>(Say({"finish", RunId(), "--yes"}));
  // A row that does not fit the new table: refused, or failed, with its key alone.
  static_cast<void>(
      Say({"rebuild", "items", "--alter", "ALTER note TYPE int USING note::int", "--yes"}));
  static_cast<void>(Say({"abort", RunId(), "--yes"}));
  static_cast<void>(Say({"cleanup", "--yes"}));
  database_.Sql(
      fmt::format("CREATE TABLE copy AS SELECT * FROM items;"
                  "ALTER TABLE copy ADD PRIMARY KEY (id);"
                  "UPDATE copy SET note = 'other' WHERE note = '{}'",
                  kRow));
  MustSay({"verify", "items", "copy"}, 7);
  ExpectWithout("what it said", said_, Secrets());
  ExpectWithout("the log", Read(folder_ / "log"), All());
  ExpectWithout("its tables", OwnTables(), {kPassword, kBound, kHookKey, kToken, kRow});
  ExpectLogOfObjects();
}

TEST_F(Redaction, OfLocksAndOfTheDashboard) {
  MakePlanted();
  Write("token", std::string(kToken) + "\n");
  Words words = Backfill(Slowly());
  Program run(PGALTER_BINARY, Logged(words), Surroundings());
  Hold();
  Session holder = database_.Connect();
  holder.Exec(
      fmt::format("SET application_name = 'pgalter/{}'; BEGIN; LOCK TABLE audit;"
                  " SELECT '{}'",
                  RunId(), kUserLiteral));
  Session waiter = database_.Connect();
  waiter.Send(fmt::format("SELECT count(*) FROM audit WHERE total::text = '{}'", kUserLiteral));
  database_.AwaitLockWait(waiter.backend_pid());
  MustSay({"locks"});
  EXPECT_THAT(said_, HasSubstr("public.audit"));
  Program serve(PGALTER_BINARY,
                Logged({"serve", "--listen", "127.0.0.1:0", "--allow-control", "--token-file",
                        (folder_ / "token").string()}),
                Surroundings());
  std::string said;
  ASSERT_TRUE(Within(kLimit, [&] {
    said = serve.SoFar().out;
    return said.find('\n') != std::string::npos;
  })) << serve.SoFar().err;
  const int port = std::stoi(said.substr(said.find(':', said.find("127.0.0.1")) + 1));
  const HttpHeaders bearer{fmt::format("Authorization: Bearer {}", kToken), "X-Pgalter: 1"};
  std::string sent;
  const std::string one = "/api/runs/" + RunId();
  for (const std::string& target :
       {std::string("/"), std::string("/api/runs"), one, std::string("/api/locks"),
        std::string("/metrics"), std::string("/healthz")}) {
    const HttpAnswer answer = Http(port, "GET", target, bearer);
    EXPECT_EQ(answer.status, 200) << target;
    sent += answer.body;
  }
  EXPECT_THAT(sent, HasSubstr("public.audit"));
  AwaitBeats(3);
  holder.Exec("ROLLBACK");
  waiter.Wait();
  database_.AwaitValue("SELECT count(*) FROM pgalter.lock_episode", "1", kLimit);
  sent += Http(port, "GET", one, bearer).body;
  sent += Http(port, "POST", one + "/pause", bearer).body;
  sent +=
      Http(port, "POST", one + "/throttle", bearer, fmt::format(R"({{"set":["{}"]}})", kHookKey))
          .body;
  EXPECT_EQ(run.Wait(kLimit).code, 6);
  MustSay({"locks", "--history", RunId()});
  MustSay({"throttle", RunId(), "--set", "ratio=1"});
  MustSay({"resume", RunId()});
  MustSay({"watch", RunId(), "--output", "json"});
  serve.Signal(SIGTERM);
  const Ran served = serve.Wait(kLimit);
  // The throttle's key was wrong, so its answer quotes it: to the one who has sent it.
  const auto mine = sent.find(kHookKey);
  if (mine != std::string::npos) sent.replace(mine, std::string(kHookKey).size(), "");
  ExpectWithout("what the dashboard sent", sent, All());
  ExpectWithout("what it said", said_ + served.err, {kPassword, kBound, kToken, kUserLiteral});
  ExpectWithout("the log", Read(folder_ / "log"), All());
  ExpectWithout("its tables", OwnTables(), All());
}

TEST_F(Redaction, OfMigrationsAndWhatIsWrittenDownOfThem) {
  MakePlanted();
  Write("migrations/20260101000001_first.sql",
        fmt::format("-- pgalter: 1\n-- pgalter:up\nCREATE TABLE notes (t text);\nINSERT INTO notes "
                    "VALUES ('{}');\n",
                    kFileLiteral));
  Write("migrations/20260101000002_second.sql",
        fmt::format("-- pgalter: 1\n-- pgalter:up\nALTER TABLE notes ADD c text DEFAULT '{}';\n",
                    kFileLiteral));
  MustSay({"init"});
  static_cast<void>(Say(InMigrations({"manifest"})));
  MustSay(InMigrations({"up", "--yes"}));
  Write("migrations/20260101000003_third.sql",
        fmt::format("-- pgalter: 1\n-- pgalter:up\nINSERT INTO notes VALUES ('{}'::int);\n",
                    kFileLiteral));
  static_cast<void>(Say(InMigrations({"manifest"})));
  const Ran failed = Say(InMigrations({"up", "--yes"}));
  EXPECT_NE(failed.code, 0) << failed.out << failed.err;
  MustSay({"history"});
  static_cast<void>(Say(InMigrations({"status", "--migrations"})));
  MustSay({"audit", "verify"});
  const Ran exported = Say({"audit", "export"});
  EXPECT_EQ(exported.code, 0) << exported.err;
  const std::string out = (folder_ / "evidence").string();
  const Ran report = Say({"report", "--since", "2020-01-01T00:00:00Z", "--out", out});
  EXPECT_EQ(report.code, 0) << report.err;
  std::string evidence;
  if (fs::exists(out))
    for (const auto& entry : fs::recursive_directory_iterator(out))
      if (entry.is_regular_file()) evidence += Read(entry.path());
  static_cast<void>(Say(InMigrations({"checklist", "20260101000003"})));
  static_cast<void>(Say({"check", "items"}));
  static_cast<void>(Say({"inspect", "tables"}));
  static_cast<void>(Say({"heads", "--dir", (folder_ / "migrations").string()}));
  static_cast<void>(Say({"lint", (folder_ / "migrations").string()}));
  ExpectWithout("what it said", said_, Secrets());
  ExpectWithout("the audit trail", exported.out, All());
  // It has the files as they were run, literals included: what was done is what it is for.
  ExpectWithout("the report", evidence, {kPassword, kBound, kHookKey, kToken, kRow, kUserLiteral});
  ExpectWithout("the log", Read(folder_ / "log"), All());
  ExpectWithout("its tables", OwnTables(), Secrets());
  ExpectLogOfObjects();
}

// A password in argv is too late to hide there, and goes nowhere else.
TEST_F(Redaction, OfAPasswordInAnOption) {
  for (const std::string& dsn :
       {database_.conninfo() + " password=" + kPassword,
        fmt::format("postgresql://postgres:{}@localhost:1/nowhere", kPassword)}) {
    const Ran ran = Program(PGALTER_BINARY, Logged({"ps", "--dsn", dsn})).Wait(kLimit);
    said_ += ran.out + ran.err;
  }
  for (const Words& words :
       {Words{"ps", "--dsn", std::string("host=x passwort=") + kPassword},
        Words{"ps", "--dsn", std::string("postgresql://u:") + kPassword + "@[::1"}}) {
    const Ran ran = Program(PGALTER_BINARY, Logged(words)).Wait(kLimit);
    EXPECT_NE(ran.code, 0);
    said_ += ran.out + ran.err;
  }
  ExpectWithout("what it said", said_, {kPassword});
  ExpectWithout("the log", Read(folder_ / "log"), {kPassword});
}

}  // namespace
}  // namespace pgalter::test
