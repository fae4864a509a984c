// sqitch's registry: a row of `changes` for what is deployed, with its dependencies and tags, and a
// row of `events` for all that ever happened.

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "engine/run/failure.h"
#include "migrations/formats/folder.h"
#include "migrations/formats/text.h"
#include "migrations/history/sha1.h"
#include "migrations/writeback/book.h"
#include "planner/sql/identifier.h"

namespace pgalter::writeback {

namespace {

namespace fs = std::filesystem;
using formats::SqitchChange;
using formats::SqitchDependency;
using formats::SqitchPlanned;
using formats::Trim;
using history::Migration;
using run::ExitCode;
using run::Failure;
using sql::QuoteLiteral;

constexpr std::string_view kRelease = "1.1";  // of the registry

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// "name = value" below "[user]", as git writes it; the last one counts.
std::string FromConfig(const fs::path& file, std::string_view key) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return "";
  const std::string text = formats::ReadWhole(file);
  std::string value;
  bool user = false;
  formats::Lines lines(text);
  while (const auto found = lines.Next()) {
    const auto line = Trim(formats::Cut(text, found->span));
    if (line.starts_with('[')) user = formats::Lower(line) == "[user]";
    const std::size_t sign = line.find('=');
    if (!user || sign == std::string_view::npos) continue;
    if (formats::Lower(Trim(line.substr(0, sign))) != key) continue;
    auto given = Trim(line.substr(sign + 1));
    if (given.size() > 1 && given.front() == '"' && given.back() == '"')
      given = given.substr(1, given.size() - 2);
    value = given;
  }
  return value;
}

// As sqitch looks for it: its environment, the project's file, the user's, the system's.
std::string Setting(const fs::path& directory, std::string_view key, const char* variable,
                    const char* original) {
  std::string value = Environment(variable);
  const std::string named = Environment("SQITCH_CONFIG");
  for (const fs::path& file :
       std::array{named.empty() ? directory / "sqitch.conf" : fs::path(named),
                  fs::path(Environment("HOME")) / ".sqitch" / "sqitch.conf",
                  fs::path("/etc/sqitch/sqitch.conf")})
    if (value.empty()) value = FromConfig(file, key);
  return value.empty() ? Environment(original) : value;
}

Person PersonOf(const fs::path& directory) {
  Person person;
  person.name = Setting(directory, "name", "SQITCH_FULLNAME", "SQITCH_ORIG_FULLNAME");
  person.email = Setting(directory, "email", "SQITCH_EMAIL", "SQITCH_ORIG_EMAIL");
  const passwd* user = ::getpwuid(::geteuid());
  const std::string login = user == nullptr ? std::to_string(::geteuid()) : user->pw_name;
  if (person.name.empty() && user != nullptr) person.name = user->pw_gecos;
  if (person.name.empty()) person.name = login;
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  if (person.email.empty()) person.email = fmt::format("{}@{}", login, host.data());
  return person;
}

std::string SchemaOf(const Book& book) {
  const auto name = sql::ParseQualifiedName(book.table);
  return sql::QuoteIdentifier(name && name->schema ? *name->schema : "sqitch");
}

struct Found {
  const SqitchChange* change;
  const history::SqitchIds* ids;
};

Found ChangeOf(const Book& book, const Migration& migration) {
  const auto& changes = book.sqitch->plan.changes;
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (changes[i].script == migration.version) return {&changes[i], &book.sqitch->ids[i]};
  throw Failure(ExitCode::kUsage, fmt::format("{} is in no line of sqitch.plan", migration.file));
}

std::string ArrayOf(const std::vector<std::string>& values) {
  std::string text = "ARRAY[";
  for (const std::string& value : values)
    text += (text.back() == '[' ? "" : ", ") + QuoteLiteral(value);
  return text + "]::text[]";
}

// The change that it leads to in the database, as sqitch looks for it.
std::string Resolved(const std::string& schema, const std::string& project,
                     const SqitchDependency& dependency) {
  if (dependency.conflict) return "NULL";
  if (!dependency.id.empty())
    return fmt::format("(SELECT change_id FROM {}.changes WHERE change_id = {})", schema,
                       QuoteLiteral(dependency.id));
  const std::string in = QuoteLiteral(dependency.project.empty() ? project : dependency.project);
  const std::string tag = QuoteLiteral("@" + dependency.tag);
  if (dependency.change.empty())
    return fmt::format("(SELECT change_id FROM {}.tags WHERE project = {} AND tag = {})", schema,
                       in, tag);
  if (dependency.tag.empty())
    return fmt::format(
        "(SELECT change_id FROM {}.changes WHERE project = {} AND change = {} ORDER BY "
        "committed_at LIMIT 1)",
        schema, in, QuoteLiteral(dependency.change));
  return fmt::format(
      "(SELECT c.change_id FROM {0}.changes c JOIN {0}.tags t ON c.committed_at <= t.committed_at "
      "AND c.project = t.project WHERE c.project = {1} AND c.change = {2} AND t.tag = {3} ORDER BY "
      "c.committed_at DESC LIMIT 1)",
      schema, in, QuoteLiteral(dependency.change), tag);
}

// "committer, its address, when, planner, its address": the columns at the end of each table.
std::string Signed(const Person& person, const SqitchPlanned& planned) {
  return fmt::format("{}, {}, {}::timestamptz, {}, {}, clock_timestamp()",
                     QuoteLiteral(person.name), QuoteLiteral(person.email),
                     QuoteLiteral(planned.at), QuoteLiteral(planned.name),
                     QuoteLiteral(planned.email));
}

constexpr std::string_view kSigned =
    "committer_name, committer_email, planned_at, planner_name, planner_email, committed_at";

class Writing {
 public:
  Writing(const Book& book, const Migration& migration)
      : schema_(SchemaOf(book)),
        project_(QuoteLiteral(book.sqitch->plan.project)),
        plain_project_(book.sqitch->plan.project),
        person_(book.sqitch->person),
        found_(ChangeOf(book, migration)),
        id_(QuoteLiteral(found_.ids->change)),
        name_(QuoteLiteral(found_.change->name)),
        note_(QuoteLiteral(found_.change->planned.note)),
        hash_(QuoteLiteral(history::Sha1(formats::ReadWhole(book.directory / migration.file)))) {}

  [[nodiscard]] std::vector<std::string> In() const {
    std::vector<std::string> statements{Lock()};
    statements.push_back(fmt::format(
        "INSERT INTO {}.changes (change_id, script_hash, change, project, note, {}) VALUES ({}, "
        "{}, {}, {}, {}, {})",
        schema_, kSigned, id_, hash_, name_, project_, note_, By()));
    for (const SqitchDependency& dependency : found_.change->dependencies)
      statements.push_back(fmt::format(
          "INSERT INTO {}.dependencies (change_id, type, dependency, dependency_id) VALUES ({}, "
          "'{}', {}, {})",
          schema_, id_, dependency.conflict ? "conflict" : "require", QuoteLiteral(dependency.text),
          Resolved(schema_, plain_project_, dependency)));
    for (std::size_t i = 0; i < found_.change->tags.size(); ++i) {
      const formats::SqitchTag& tag = found_.change->tags[i];
      statements.push_back(fmt::format(
          "INSERT INTO {}.tags (tag_id, tag, project, change_id, note, {}) VALUES ({}, {}, {}, {}, "
          "{}, {})",
          schema_, kSigned, QuoteLiteral(found_.ids->tags[i]), QuoteLiteral("@" + tag.name),
          project_, id_, QuoteLiteral(tag.planned.note), Signed(person_, tag.planned)));
    }
    statements.push_back(fmt::format(
        "INSERT INTO {}.events (event, change_id, change, project, note, tags, requires, "
        "conflicts, {}) VALUES ('deploy', {}, {}, {}, {}, {}, {}, {}, {})",
        schema_, kSigned, id_, name_, project_, note_, Tags(), Named(false), Named(true), By()));
    return statements;
  }

  // The tags and dependencies that the registry has of it, as sqitch takes them.
  [[nodiscard]] std::vector<std::string> Out() const {
    const auto depends = [&](std::string_view type) {
      return fmt::format(
          "ARRAY(SELECT dependency FROM {}.dependencies WHERE change_id = {} AND type = '{}')",
          schema_, id_, type);
    };
    return {Lock(),
            fmt::format(
                "WITH untagged AS (DELETE FROM {0}.tags WHERE change_id = {1} RETURNING tag) "
                "INSERT INTO {0}.events (event, change_id, change, project, note, tags, requires, "
                "conflicts, {2}) SELECT 'revert', {1}, {3}, {4}, {5}, ARRAY(SELECT tag FROM "
                "untagged), {6}, {7}, {8} FROM {0}.changes WHERE change_id = {1}",
                schema_, id_, kSigned, name_, project_, note_, depends("require"),
                depends("conflict"), By()),
            fmt::format("DELETE FROM {}.changes WHERE change_id = {}", schema_, id_)};
  }

 private:
  [[nodiscard]] std::string Lock() const {
    return fmt::format("LOCK TABLE {}.changes IN EXCLUSIVE MODE", schema_);
  }
  [[nodiscard]] std::string By() const { return Signed(person_, found_.change->planned); }
  [[nodiscard]] std::string Tags() const {
    std::vector<std::string> names;
    for (const formats::SqitchTag& tag : found_.change->tags) names.push_back("@" + tag.name);
    return ArrayOf(names);
  }
  [[nodiscard]] std::string Named(bool conflicts) const {
    std::vector<std::string> names;
    for (const SqitchDependency& dependency : found_.change->dependencies)
      if (dependency.conflict == conflicts) names.push_back(dependency.text);
    return ArrayOf(names);
  }

  std::string schema_;
  std::string project_;
  std::string plain_project_;
  Person person_;
  Found found_;
  std::string id_;
  std::string name_;
  std::string note_;
  std::string hash_;
};

std::string ProjectRow(const Book& book) {
  const formats::SqitchPlan& plan = book.sqitch->plan;
  return fmt::format(
      "INSERT INTO {}.projects (project, uri, creator_name, creator_email) VALUES ({}, {}, {}, {}) "
      "ON CONFLICT (project) DO NOTHING",
      SchemaOf(book), QuoteLiteral(plan.project),
      plan.uri.empty() ? "NULL" : QuoteLiteral(plan.uri), QuoteLiteral(book.sqitch->person.name),
      QuoteLiteral(book.sqitch->person.email));
}

}  // namespace

Entry SqitchEntry(const Book& book, const Migration& migration) {
  const Writing writing(book, migration);
  Entry entry;
  entry.in = writing.In();
  entry.in.insert(entry.in.begin(), ProjectRow(book));
  entry.out = writing.Out();
  return entry;
}

Sqitch ReadSqitch(const history::Collection& collection) {
  const fs::path file = collection.directory / "sqitch.plan";
  std::error_code ignored;
  if (!fs::exists(file, ignored))
    throw Failure(ExitCode::kUsage,
                  fmt::format("history.writeback: there is no {}: the directory of migrations is "
                              "to be the one with sqitch.plan",
                              file.string()));
  Sqitch sqitch;
  sqitch.plan = formats::ReadSqitchPlan(formats::ReadWhole(file));
  if (sqitch.plan.project.empty())
    throw Failure(ExitCode::kUsage, fmt::format("{} has no line %project=NAME", file.string()));
  for (const SqitchChange& change : sqitch.plan.changes)
    if (change.planned.at.empty() || change.planned.email.empty())
      throw Failure(ExitCode::kUsage,
                    fmt::format("{}:{}: {} lacks the time or the planner, from which sqitch makes "
                                "its name; sqitch would refuse the line",
                                file.string(), change.line, change.name));
  sqitch.ids = history::IdsOf(sqitch.plan);
  sqitch.person = PersonOf(collection.directory);
  return sqitch;
}

Task<> CheckRegistry(guard::Session& session, const Book& book) {
  const std::string schema = SchemaOf(book);
  const pg::Result release = co_await session.db().Query(
      fmt::format("SELECT COALESCE(max(version)::text, '') FROM {}.releases", schema));
  if (release.Get<std::string>(0, 0) != kRelease)
    throw Failure(ExitCode::kRefused,
                  fmt::format("the registry of sqitch in schema {} is of release {}, and {} is "
                              "written. Nothing was changed. Bring it up: sqitch upgrade",
                              schema, release.Get<std::string>(0, 0), kRelease));
  const pg::Result project = co_await session.db().Query(
      fmt::format("SELECT COALESCE(uri, '') FROM {}.projects WHERE project = $1", schema),
      book.sqitch->plan.project);
  if (project.empty()) co_return;
  const std::string& uri = book.sqitch->plan.uri;
  if (project.Get<std::string>(0, 0) == uri) co_return;
  throw Failure(
      ExitCode::kHistoryDivergence,
      fmt::format("{}.projects has {} with the URI \"{}\", and sqitch.plan says \"{}\": "
                  "sqitch would refuse it. Nothing was changed. Bring %uri back in "
                  "sqitch.plan",
                  schema, book.sqitch->plan.project, project.Get<std::string>(0, 0), uri));
}

// As sqitch 1.1's registry is, without its comments.
std::vector<std::string> SqitchTables(const Book& book) {
  const std::string schema = SchemaOf(book);
  const std::string by =
      "committed_at timestamptz NOT NULL DEFAULT clock_timestamp(), "
      "committer_name text NOT NULL, committer_email text NOT NULL, planned_at "
      "timestamptz NOT NULL, planner_name text NOT NULL, planner_email text NOT "
      "NULL";
  const auto project = fmt::format(
      "project text NOT NULL REFERENCES {}.projects (project) ON UPDATE CASCADE", schema);
  return {
      fmt::format("CREATE SCHEMA IF NOT EXISTS {}", schema),
      fmt::format("CREATE TABLE {}.releases (version real PRIMARY KEY, installed_at timestamptz "
                  "NOT NULL DEFAULT clock_timestamp(), installer_name text NOT NULL, "
                  "installer_email text NOT NULL)",
                  schema),
      fmt::format("CREATE TABLE {}.projects (project text PRIMARY KEY, uri text UNIQUE, created_at "
                  "timestamptz NOT NULL DEFAULT clock_timestamp(), creator_name text NOT NULL, "
                  "creator_email text NOT NULL)",
                  schema),
      fmt::format("CREATE TABLE {}.changes (change_id text PRIMARY KEY, script_hash text, change "
                  "text NOT NULL, {}, note text NOT NULL DEFAULT '', {}, UNIQUE (project, "
                  "script_hash))",
                  schema, project, by),
      fmt::format("CREATE TABLE {0}.tags (tag_id text PRIMARY KEY, tag text NOT NULL, {1}, "
                  "change_id text NOT NULL REFERENCES {0}.changes (change_id) ON UPDATE CASCADE, "
                  "note text NOT NULL DEFAULT '', {2}, UNIQUE (project, tag))",
                  schema, project, by),
      fmt::format(
          "CREATE TABLE {0}.dependencies (change_id text NOT NULL REFERENCES {0}.changes "
          "(change_id) ON UPDATE CASCADE ON DELETE CASCADE, type text NOT NULL, dependency text "
          "NOT NULL, dependency_id text REFERENCES {0}.changes (change_id) ON UPDATE CASCADE "
          "CONSTRAINT dependencies_check CHECK ((type = 'require' AND dependency_id IS NOT NULL) "
          "OR (type = 'conflict' AND dependency_id IS NULL)), PRIMARY KEY (change_id, dependency))",
          schema),
      fmt::format("CREATE TABLE {}.events (event text NOT NULL CONSTRAINT events_event_check CHECK "
                  "(event IN ('deploy', 'revert', 'fail', 'merge')), change_id text NOT NULL, "
                  "change text NOT NULL, {}, note text NOT NULL DEFAULT '', requires text[] NOT "
                  "NULL DEFAULT '{{}}', conflicts text[] NOT NULL DEFAULT '{{}}', tags text[] NOT "
                  "NULL DEFAULT '{{}}', {}, PRIMARY KEY (change_id, committed_at))",
                  schema, project, by),
      fmt::format("INSERT INTO {}.releases (version, installer_name, installer_email) VALUES ({}, "
                  "{}, {})",
                  schema, kRelease, QuoteLiteral(book.sqitch->person.name),
                  QuoteLiteral(book.sqitch->person.email)),
      ProjectRow(book)};
}

}  // namespace pgalter::writeback
