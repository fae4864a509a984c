// What commands print with --output json, against docs/schemas/results.json: each definition is of
// a command that was run.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/guide_world.h"
#include "tests/support/json_schema.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string TextOf(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Progress stands above it, a line each.
json::value LastOf(const std::string& out) {
  const std::size_t end = out.find_last_not_of('\n');
  if (end == std::string::npos) return nullptr;
  const std::size_t before = out.rfind('\n', end);
  return json::parse(out.substr(before == std::string::npos ? 0 : before + 1, std::string::npos));
}

class JsonResults : public GuideWorld {
 protected:
  void Expect(const std::string& definition, Words words, const Words& more = {}) {
    SCOPED_TRACE(definition);
    seen_.insert(definition);
    words.insert(words.end(), {"--output", "json"});
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = Do(words);
    const json::value result = LastOf(ran.out);
    ASSERT_TRUE(result.is_object()) << ran.code << ran.out << ran.err;
    ExpectMatches(result, definitions_.at(definition).as_object(), definition);
  }
  [[nodiscard]] Words Dir() const { return {"--dir", directory_}; }

  json::object definitions_ =
      json::parse(TextOf(PGALTER_SOURCE_DIR "/docs/schemas/results.json")).at("$defs").as_object();
  std::set<std::string> seen_;
};

TEST_F(JsonResults, MatchTheirSchemas) {
  const fs::path beside = Path("../results-" + database_.name());
  fs::create_directories(beside);
  Expect("version", {"version"});
  Expect("explain", {"explain", "set-not-null"});
  Expect("init", {"init"});
  WriteOrders();
  Expect("heads", {"heads"}, Dir());
  Expect("manifest", {"manifest"}, Dir());
  Write("20260103000000_strict.sql", "-- pgalter: 1\n-- pgalter:up\nSELECT 1;\n");
  Expect("manifest-check", {"manifest", "--check"}, Dir());
  fs::remove(Path("pgalter.sum"));
  Expect("new", {"new", "more"}, Dir());
  std::ofstream(beside / "pgalter.toml") << "[migrations]\ndir = \"" << directory_ << "\"\n";
  const Words config{"--config", (beside / "pgalter.toml").string()};
  Expect("change-new", {"change", "new", "C-1", "--title", "one"}, config);
  Expect("change-show", {"change", "show", "C-1"}, config);
  Expect("change-list", {"change", "list"}, config);
  Expect("change-check", {"change", "check"}, config);
  const Ran files =
      Shell("cd '" + beside.string() + "' && '" PGALTER_BINARY "' init --files --output json");
  ExpectMatches(LastOf(files.out), definitions_.at("init-files").as_object(), "init-files");
  seen_.insert("init-files");
  Expect("checklist", {"checklist", "20260101000000"}, Dir());
  ASSERT_EQ(Up({"--count", "1"}).code, 0);
  Expect("history", {"history"});
  Expect("diff", {"diff", "--to", directory_});
  Expect("rehearse", {"rehearse"}, Dir());
  Expect("request", {"request"}, Dir());
  Expect("approve-list", {"approve"});
  Expect("reject", {"reject", "1", "--reason", "no"});
  Write("../" + beside.filename().string() + "/evidence", "x");
  Expect("attest", {"attest", "--kind", "test", "--file", (beside / "evidence").string()});
  Expect("baseline", {"baseline", "20260102000000"}, Dir());
  Expect("repair", {"repair", "20260102000000", "--forget"}, Dir());
  fs::create_directories(beside / "twice");
  for (const char* name : {"1_a.sql", "1_b.sql"})
    std::ofstream(beside / "twice" / name) << "SELECT 1;\n";
  Expect("renumber", {"renumber", "1_a.sql", "--dir", (beside / "twice").string()});
  Expect("audit-verify", {"audit", "verify"});
  Expect("audit-anchor", {"audit", "anchor"});
  Expect("audit-sink", {"audit", "sink", "show"});
  Expect("detach", {"backfill", "public.orders", "--set", "note = 'x'", "--detach"});
  Expect("throttle", {"throttle", LastRun(), "--set", "ratio=0.9"});
  database_.AwaitValue("SELECT state FROM pgalter.run WHERE run = '" + LastRun() + "'", "done",
                       std::chrono::seconds(60));
  Expect("watch-observation", {"watch", LastRun(), "--for", "1s"});
  Expect("cleanup", {"cleanup"});
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE public.orders");
  Session waiter = database_.Connect();
  waiter.Send("SELECT count(*) FROM public.orders");
  database_.AwaitLockWait(waiter.backend_pid());
  Expect("locks", {"locks"});
  holder.Exec("ROLLBACK");
  waiter.Wait();
  Expect("sandbox-list", {"sandbox", "list"});
  // A policy with all its keys, and somebody who approves.
  const std::string role = database_.name() + "_approves";
  database_.Sql(
      fmt::format("CREATE ROLE \"{0}\" LOGIN; GRANT USAGE ON SCHEMA pgalter TO \"{0}\"; GRANT "
                  "SELECT ON ALL TABLES IN SCHEMA pgalter"
                  " TO \"{0}\"; SELECT pgalter.set_policy(jsonb_build_object('quorum', "
                  "jsonb_build_object('technical', '{0}'),"
                  " 'routine', '{0}', 'break_glass', '{0}', 'windows_over', '1 hour'))",
                  role));
  Expect("policy", {"policy", "show"});
  Expect("request", {"request"}, Dir());
  const std::string id = database_.Value("SELECT max(id) FROM pgalter.request");
  const Ran approved = DoAs(role, {"approve", id, "--meaning", "technical", "--output", "json"});
  EXPECT_EQ(approved.code, 0) << approved.err;
  ExpectMatches(LastOf(approved.out), definitions_.at("approve").as_object(), "approve");
  seen_.insert("approve");
  database_.Sql(fmt::format("DROP OWNED BY \"{0}\"; DROP ROLE \"{0}\"", role));
  if (HasClients()) {
    const std::string dump = (beside / "dump").string();
    ASSERT_EQ(Shell("pg_dump -f '" + dump + "'").code, 0);
    for (const char* verb : {"verify", "restore-plan"}) {
      const Ran ran = Program(PGALTER_BINARY, {"backup", verb, dump, "--output", "json"}).Wait();
      const std::string name = verb == std::string("verify") ? "backup-verify" : verb;
      ExpectMatches(LastOf(ran.out), definitions_.at(name).as_object(), name);
    }
  }
  seen_.insert({"backup-verify", "restore-plan"});
  fs::remove_all(beside);
  for (const auto& [name, definition] : definitions_)
    EXPECT_TRUE(seen_.contains(name)) << name << " is of no command that was run";
}

}  // namespace
}  // namespace pgalter::test
