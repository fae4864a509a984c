#include "cli/migrate/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/range/adaptor/reversed.hpp>
#include <filesystem>

#include "cli/connect.h"
#include "cli/migrate/new_file.h"
#include "cli/rejected.h"
#include "engine/guard/transaction.h"
#include "migrations/emit/changes.h"
#include "migrations/history/new_name.h"

namespace pgalter::cli {

namespace {

using emit::Change;
using emit::Effect;
using Statements = std::vector<std::string>;

// One of some statements that may stand on each other, in either direction.
struct Attempt {
  const Change* change = nullptr;
  const Statements* sql = nullptr;
  std::string said;  // by the server, when it was tried last
};

Task<std::string> Try(guard::Session& session, const Statements& sql) {
  auto run = [&]() -> Task<> {
    for (const std::string& statement : sql) co_await session.db().Execute(statement);
  };
  std::string said;
  try {
    co_await guard::RunInTransaction(session, run);
  } catch (const pg::PgError& error) {
    if (error.klass() == pg::SqlstateClass::kConnectionLost) throw;
    said = error.what();
  }
  co_return said;
}

// Those that work now, then those that do after them, and so on. What is left stays in `attempts`.
Task<std::vector<Attempt>> TryAll(guard::Session& session, std::vector<Attempt>& attempts) {
  std::vector<Attempt> done;
  for (bool progress = true; progress && !attempts.empty();) {
    progress = false;
    std::vector<Attempt> left;
    for (Attempt& attempt : attempts) {
      attempt.said = co_await Try(session, *attempt.sql);
      progress = progress || attempt.said.empty();
      (attempt.said.empty() ? done : left).push_back(attempt);
    }
    attempts = std::move(left);
  }
  co_return done;
}

void Append(const std::vector<Attempt>& attempts, Statements& to) {
  for (const Attempt& attempt : attempts)
    to.insert(to.end(), attempt.sql->begin(), attempt.sql->end());
}

std::vector<Attempt> UpOf(const emit::Changes& changes, Effect effect) {
  std::vector<Attempt> attempts;
  for (const Change& change : changes.changes)
    if (change.effect == effect) attempts.push_back({&change, &change.up, {}});
  return attempts;
}

std::vector<Attempt> DownOf(const std::vector<Attempt>& done) {
  std::vector<Attempt> attempts;
  for (const Attempt& attempt : boost::adaptors::reverse(done))
    if (!attempt.change->down.empty())
      attempts.push_back({attempt.change, &attempt.change->down, {}});
  return attempts;
}

void Failed(const std::vector<Attempt>& attempts, Statements& to) {
  for (const Attempt& attempt : attempts)
    to.push_back(fmt::format("{}: {}", attempt.sql->front(), attempt.said));
}

Statements Lines(const history::SchemaDifference& difference) {
  Statements lines;
  for (const std::string& line : difference.gone) lines.push_back("- " + line);
  for (const std::string& line : difference.fresh) lines.push_back("+ " + line);
  return lines;
}

class Emitting {
 public:
  Emitting(guard::Session& copy, history::Owners owners) : copy_(copy), owners_(owners) {}

  // Up and down and up again: what was emitted is what works in that order.
  Task<Emitted> Run(const emit::Changes& changes, const Side& from, const Side& to, Drops drops) {
    std::vector<Attempt> wanted = UpOf(changes, Effect::kMakes);
    std::vector<Attempt> dropped = UpOf(changes, Effect::kDrops);
    if (drops == Drops::kWritten) std::ranges::move(dropped, std::back_inserter(wanted));
    std::vector<Attempt> done = co_await TryAll(copy_, wanted);
    Append(done, emitted_.up);
    Failed(wanted, emitted_.not_expressed);
    co_await TryDown(done, from);
    std::vector<Attempt> again = done;
    co_await TryAll(copy_, again);
    if (drops == Drops::kAsComments) {
      const std::vector<Attempt> gone = co_await TryAll(copy_, dropped);
      Append(gone, emitted_.not_dropped);
      Failed(dropped, emitted_.not_expressed);
    }
    const auto now = co_await history::ReadSchemaLines(copy_, owners_);
    for (std::string& line : Lines(history::DifferenceOf(now, to.lines)))
      emitted_.not_expressed.push_back(std::move(line));
    for (const std::string& unsaid : changes.unsaid) emitted_.not_expressed.push_back(unsaid);
    co_return std::move(emitted_);
  }

 private:
  Task<> TryDown(const std::vector<Attempt>& done, const Side& from) {
    std::vector<Attempt> back = DownOf(done);
    const std::vector<Attempt> undone = co_await TryAll(copy_, back);
    Append(undone, emitted_.down);
    Failed(back, emitted_.not_restored);
    const auto now = co_await history::ReadSchemaLines(copy_, owners_);
    for (std::string& line : Lines(history::DifferenceOf(now, from.lines)))
      emitted_.not_restored.push_back(std::move(line));
  }

  guard::Session& copy_;
  history::Owners owners_;
  Emitted emitted_;
};

void AddStatements(const Statements& statements, std::string& text) {
  for (const std::string& statement : statements) text += statement + ";\n";
}

// One comment each, whatever lines it has.
void AddComments(const Statements& statements, std::string_view why, std::string& text) {
  if (statements.empty()) return;
  text += fmt::format("\n-- {}:\n", why);
  for (std::string statement : statements) {
    for (std::size_t at = statement.find('\n'); at != std::string::npos;
         at = statement.find('\n', at + 1))
      statement.replace(at, 1, "\n--   ");
    text += fmt::format("--   {}\n", statement);
  }
}

std::string TextOf(const std::string& title, const Emitted& emitted, const Side& from,
                   const Side& to) {
  std::string text = fmt::format(
      "-- pgalter: 1\n-- title: {}\n-- pgalter:up\n-- From {} to {}: to be read before it is "
      "applied.\n",
      title, from.called, to.called);
  AddStatements(emitted.up, text);
  AddComments(emitted.not_dropped, "not dropped, unless --drops is given", text);
  AddComments(emitted.not_expressed, "not expressed, and different still", text);
  text += "\n-- pgalter:down\n";
  AddStatements(emitted.down, text);
  AddComments(emitted.not_restored, "not as it was after that", text);
  return text;
}

}  // namespace

Task<Emitted> Emit(Sides& sides, const Side& from, const Side& to, history::Owners owners,
                   Drops drops) {
  std::vector<emit::Object> before;
  std::vector<emit::Object> after;
  {
    guard::Session session = co_await OpenSession(from.where);
    before = co_await emit::ReadObjects(session);
    guard::Session other = co_await OpenSession(to.where);
    after = co_await emit::ReadObjects(other);
  }
  const emit::Changes changes = emit::ChangesBetween(before, after);
  Statements lacks;
  const Context where = co_await sides.CopyOf(from, lacks);
  guard::Session copy = co_await OpenForChange(where);
  Emitting emitting(copy, owners);
  Emitted emitted = co_await emitting.Run(changes, from, to, drops);
  emitted.copy_lacks = std::move(lacks);
  co_return emitted;
}

std::string WriteEmitted(const Context& context, const Emitted& emitted, const Side& from,
                         const Side& to) {
  const std::string& title = context.Get("emit-migration");
  const std::string slug = history::SlugOf(title);
  if (slug.empty())
    throw Rejected(ExitCode::kUsage, fmt::format("\"{}\" has no letter and no digit", title),
                   "--emit-migration \"add a column\"");
  const MigrationSettings settings = SettleMigrations(context);
  const history::Collection existing = ExistingMigrations(settings);
  RefuseForeignTool(existing);
  const std::filesystem::path path = std::filesystem::path(settings.directory) /
                                     fmt::format("{}_{}.sql", NextVersionOf(existing), slug);
  WriteNewFile(path, TextOf(title, emitted, from, to));
  return path.string();
}

}  // namespace pgalter::cli
