// What commands print with --output json, against docs/schemas/results.json and partition.json:
// each definition is of a command that was run.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

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

json::object SchemaOf(const std::string& name) {
  return json::parse(TextOf(fs::path(PGALTER_SOURCE_DIR "/docs/schemas") / name)).as_object();
}

class JsonResults : public GuideWorld {
 protected:
  explicit JsonResults(const std::string& schema = "results.json")
      : definitions_(SchemaOf(schema).at("$defs").as_object()) {}

  void Expect(const std::string& definition, Words words, const Words& more = {}) {
    SCOPED_TRACE(definition);
    seen_.insert(definition);
    words.insert(words.end(), {"--output", "json"});
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = Do(words);
    last_ = LastOf(ran.out);
    ASSERT_TRUE(last_.is_object()) << ran.code << ran.out << ran.err;
    ExpectMatches(last_, definitions_.at(definition).as_object(), definition);
  }
  void ExpectAllSeen() const {
    for (const auto& [name, definition] : definitions_)
      EXPECT_TRUE(seen_.contains(name)) << name << " is of no command that was run";
  }
  [[nodiscard]] Words Dir() const { return {"--dir", directory_}; }

  json::object definitions_;
  std::set<std::string> seen_;
  json::value last_;
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
  Expect("detach", {"backfill", "public.orders", "--set", "note = 'x'", "--throttle",
                    "replay-lag-seconds=33s", "--detach"});
  Expect("throttle", {"throttle", LastRun(), "--set", "ratio=0.9"});
  // With what it was begun with.
  EXPECT_EQ(last_.at("throttle").at("replay-lag-seconds"), "33s");
  EXPECT_EQ(last_.at("throttle").at("ratio"), "0.9");
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
  Expect("rebuild", {"rebuild", "public.orders", "--alter", "ALTER id TYPE bigint", "--dry-run"});
  EXPECT_EQ(last_.at("extra_bytes").as_int64(), 2 * last_.at("disk_bytes").as_int64());
  ExpectAllSeen();
}

// Of the partition verbs: a table that is converted, and then all that is done with its partitions.
class JsonPartitions : public JsonResults {
 protected:
  JsonPartitions() : JsonResults("partition.json") {}

  // Each line that a verb prints before its last one, or all of them: of a plan, or of progress.
  void ExpectLines(const char* schema, const Words& words) {
    SCOPED_TRACE(words[1]);
    const Ran ran = Do(Json(words));
    ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
    std::istringstream lines(ran.out);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count)
      ExpectMatches(json::parse(line), SchemaOf(schema), schema);
    EXPECT_GT(count, 0);
  }
  static Words Json(Words words) {
    words.insert(words.end(), {"--output", "json"});
    return words;
  }
  // Of the last line, by the partition's name.
  [[nodiscard]] json::object Part(const std::string& name) const {
    for (const json::value& part : last_.at("partitions").as_array())
      if (part.at("name").as_string() == name) return part.as_object();
    ADD_FAILURE() << name << " is not in " << last_;
    return {};
  }
};

TEST_F(JsonPartitions, MatchTheirSchemas) {
  database_.Sql(
      "CREATE TABLE public.e (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, made timestamptz"
      " NOT NULL, note text);"
      "INSERT INTO public.e (made, note) SELECT now() - g * interval '12 hours', 'x' FROM"
      " generate_series(0, 299) g;"
      "CREATE TABLE public.kind (id int PRIMARY KEY, c text NOT NULL);"
      "INSERT INTO public.kind SELECT g, (array['de', 'fr', 'us'])[1 + g % 3] FROM"
      " generate_series(1, 300) g; ANALYZE public.e, public.kind");
  const Words convert{"partition",   "convert", "public.e", "--by",
                      "range(made)", "--every", "1 month"};
  const auto with = [](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  // Attached, compared with the other way; and copied.
  Expect("convert", with(convert, {"--dry-run"}));
  EXPECT_EQ(last_.at("strategy"), "attach");
  EXPECT_EQ(last_.at("strategies").as_array().size(), 2U);
  EXPECT_TRUE(last_.at("partitions").at(0).at("attached").as_bool());
  Expect("convert", with(convert, {"--dry-run", "--strategy", "attach", "--default", "no"}));
  EXPECT_TRUE(last_.at("strategies").as_array().empty());
  Expect("convert", with(convert, {"--dry-run", "--strategy", "copy"}));
  EXPECT_EQ(last_.at("strategy"), "copy");
  EXPECT_EQ(last_.at("by"), "RANGE (made)");
  Expect("convert", {"partition", "convert", "public.kind", "--by", "hash(id)", "--modulus", "2",
                     "--dry-run"});
  ExpectLines("progress.json", with(convert, {"--strategy", "copy"}));
  ASSERT_EQ(Do({"finish", LastRun()}).code, 0);
  Expect("list", {"partition", "list", "public.e"});
  const json::array parts = last_.at("partitions").as_array();
  ASSERT_GE(parts.size(), 5U);
  const std::string first(parts[0].at("name").as_string());
  const std::string second(parts[1].at("name").as_string());
  ExpectLines("partitions.json", {"inspect", "partitions", "public.e"});

  Expect("split", {"partition", "split", second, "--every", "7 days", "--dry-run"});
  EXPECT_EQ(last_.at("exchanges").as_array().size(), 1U);
  Expect("merge", {"partition", "merge", first, second, "--dry-run"});
  Expect("undo", {"partition", "undo", "public.e", "--dry-run"});
  ExpectLines("progress.json", {"partition", "merge", first, second, "--name", "old"});
  ASSERT_EQ(Do({"finish", LastRun()}).code, 0);
  ExpectLines("plan.json", {"partition", "detach", "public.old", "--dry-run"});
  ExpectLines("progress.json", {"partition", "detach", "public.old"});
  const Words add{"partition", "add", "public.e", "--from", "2001-01-01", "--to", "2001-02-01"};
  ExpectLines("plan.json", with(add, {"--dry-run"}));
  ExpectLines("progress.json", add);
  database_.Sql("CREATE TABLE public.more (LIKE public.e)");
  const Words attach{"partition", "attach",     "public.more", "--as",      "public.e",
                     "--from",    "2002-01-01", "--to",        "2002-02-01"};
  ExpectLines("plan.json", with(attach, {"--dry-run"}));
  ExpectLines("progress.json", attach);

  Expect("maintain", {"partition", "maintain", "public.e", "--premake", "6", "--dry-run"});
  EXPECT_TRUE(last_.at("dry_run").as_bool());
  const auto made = last_.at("made").to_number<std::size_t>();
  EXPECT_GT(made, 0U);
  EXPECT_EQ(last_.at("partitions").as_array().size(), made);
  Expect("maintain", {"partition", "maintain", "public.e", "--premake", "6"});
  EXPECT_EQ(last_.at("made").to_number<std::size_t>(), made);
  // Rows of the default partition go into a range ahead.
  database_.Sql("INSERT INTO public.e (made) VALUES (now() + interval '8 months')");
  Expect("maintain", {"partition", "maintain", "public.e", "--premake", "9", "--dry-run"});
  EXPECT_EQ(last_.at("made").to_number<std::size_t>(), last_.at("partitions").as_array().size());
  Expect("maintain", {"partition", "maintain", "public.e", "--premake", "9"});

  const fs::path folder = fs::temp_directory_path() / database_.name();
  fs::create_directories(folder);
  Expect("hold", {"partition", "hold", "public.more", "--reason", "case 1"});
  const Words retain{"partition", "retain",        "public.e", "--keep", "1 month",
                     "--export",  folder.string(), "--hold",   "0 days"};
  const Ran shown = Program(PGALTER_BINARY, Json(with(retain, {"--dsn", database_.conninfo()})))
                        .Wait();  // without --yes
  last_ = LastOf(shown.out);
  ExpectMatches(last_, definitions_.at("retain").as_object(), "retain, shown");
  EXPECT_TRUE(last_.at("run").is_null());
  Expect("retain", retain);
  seen_.insert("retain");
  EXPECT_EQ(std::string(last_.at("run").as_string()), LastRun());
  EXPECT_THAT(std::string(Part("public.more").at("stays").as_string()),
              ::testing::HasSubstr("case 1"));
  EXPECT_TRUE(Part("public.more").at("detached_at").is_null());
  const std::string gone = std::string(parts[2].at("name").as_string());
  EXPECT_TRUE(Part(gone).at("dropped_at").is_string());
  EXPECT_EQ(Part(gone).at("sha256").as_string().size(), 64U);
  EXPECT_GT(Part(gone).at("exported_rows").as_int64(), 0);
  Expect("release", {"partition", "release", "public.more"});
  EXPECT_EQ(last_.at("reason"), "case 1");
  fs::remove_all(folder);
  ExpectAllSeen();
  // The log knows them by what people have asked for.
  const auto logged = [&](const std::string& event, const std::string& command) {
    return database_.Value(fmt::format(
        "SELECT COALESCE(payload::json->'partitions'->>0, payload::json->>'table') FROM"
        " pgalter.audit_log WHERE event = '{}' AND payload::json->>'command' = '{}' LIMIT 1",
        event, command));
  };
  EXPECT_EQ(logged("run.finished", "partition convert"), "public.e");
  EXPECT_EQ(logged("run.done", "partition merge"), first);
  EXPECT_EQ(logged("run.begun", "partition detach"), "public.old");
  EXPECT_EQ(logged("run.done", "partition attach"), "public.more");
}

}  // namespace
}  // namespace pgalter::test
