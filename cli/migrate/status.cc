#include "cli/migrate/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <iterator>
#include <map>
#include <set>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/source.h"
#include "cli/migrate/writeback.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "migrations/history/exclusion.h"
#include "migrations/history/replay.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Applied;
using history::Migration;
using history::State;

struct Line {
  std::string version;
  std::string state;
  std::string at;
  std::string by;
  std::string run;
  std::string title;
};

Line LineOf(const Applied& row) {
  return {row.version,
          StateOf(row),
          row.ended_at.empty() ? row.started_at : row.ended_at,
          row.applied_by,
          row.down_run.empty() ? row.run : row.down_run,
          row.title};
}

// In the order of the directory; what is only in the database last.
std::vector<Line> LinesOf(const std::vector<Migration>& migrations,
                          const std::vector<Applied>& applied) {
  std::vector<Line> lines;
  std::map<std::string, const Applied*> index;
  for (const Applied& row : applied) index[row.version] = &row;
  for (const Migration& migration : migrations) {
    const auto row = index.find(migration.version);
    if (row == index.end()) {
      lines.push_back({migration.version, "pending", "", "", "", migration.title});
      continue;
    }
    lines.push_back(LineOf(*row->second));
    index.erase(row);
  }
  for (const Applied& row : applied)
    if (index.contains(row.version)) lines.push_back(LineOf(row));
  return lines;
}

void PrintLines(const Context& context, const std::vector<Line>& lines,
                const std::vector<history::Divergence>& divergences) {
  if (context.output == Output::kJson) {
    boost::json::array all;
    for (const Line& line : lines)
      all.push_back({{"version", line.version},
                     {"state", line.state},
                     {"at", line.at},
                     {"by", line.by},
                     {"run", line.run},
                     {"title", line.title}});
    boost::json::array found;
    for (const history::Divergence& divergence : divergences)
      found.push_back(
          {{"version", divergence.version}, {"what", divergence.what}, {"next", divergence.next}});
    PrintJson({{"version", 1}, {"migrations", all}, {"divergences", found}});
    return;
  }
  Table table({"version", "state", "at", "by", "run", "title"});
  for (const Line& line : lines)
    table.Add({line.version, line.state, line.at, line.by, line.run, line.title});
  if (!lines.empty()) Print(table.Text());
}

// Nothing is to be done about it.
bool IsSettled(const Line& line) {
  return line.state == history::Name(State::kApplied) ||
         line.state == history::Name(State::kBaseline);
}

// The last in the order of the directory that is applied, or on its way.
std::string LastOf(const std::vector<Migration>& migrations, const std::vector<Applied>& applied) {
  std::set<std::string> there;
  for (const Applied& row : applied) there.insert(row.version);
  const auto last =
      std::find_if(migrations.rbegin(), migrations.rend(),
                   [&](const Migration& migration) { return there.contains(migration.version); });
  return last == migrations.rend() ? "" : last->version;
}

void RefuseUnexpected(const std::string& expected, const std::vector<Migration>& migrations,
                      const std::vector<Applied>& applied) {
  const std::string last = LastOf(migrations, applied);
  const auto row = std::ranges::find(applied, last, &Applied::version);
  const bool settled =
      row != applied.end() && (row->state == State::kApplied || row->state == State::kBaseline);
  if (last == expected && settled) return;
  throw Rejected(ExitCode::kPending,
                 last.empty() ? fmt::format("nothing is applied; {} was expected", expected)
                              : fmt::format("the last is {} ({}); {} was expected", last,
                                            row == applied.end() ? "" : StateOf(*row), expected),
                 "pgalter status --migrations");
}

// With what the tool of the directory did itself, where both share their history.
Task<std::vector<Applied>> Shared(guard::Session& session, const MigrationSettings& source,
                                  const history::Collection& collection, std::vector<Applied> ours,
                                  std::vector<history::Divergence>& divergences) {
  const auto book = co_await FindSharedBook(session, source, collection);
  if (!book) co_return ours;
  writeback::Reconciliation found = co_await LookAtBook(session, *book, collection, ours);
  std::ranges::move(found.divergences, std::back_inserter(divergences));
  co_return writeback::Overlaid(std::move(ours), found, book->called);
}

}  // namespace

std::string StateOf(const Applied& row) {
  const std::string state(history::Name(row.state));
  if (row.state != State::kApplying && row.state != State::kReverting) return state;
  if (row.run_state == "waiting") return fmt::format("waiting at {}", row.run_phase);
  return row.run_state.empty() ? state : fmt::format("{}, {}", state, row.run_state);
}

void AddStatusOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()                                                                   //
      ("migrations", "the migrations of the directory, and what is applied")              //
      ("pending", "those that are not applied, or not to their end; 3 if there are any")  //
      ("exit-code", "with --migrations: 3 if anything is pending")                        //
      ("expect", po::value<std::string>()->value_name("VERSION"),
       "3 unless this one is the last that is applied");
}

bool IsAboutMigrations(const Context& context) {
  return context.Has("migrations") || context.Has("pending") || context.Has("exit-code") ||
         context.Has("expect");
}

Task<ExitCode> MigrationStatus(const Context& context) {
  const MigrationSettings source = SettleMigrations(context);
  const history::Collection collection = ReadMigrations(source);
  guard::Session session = co_await OpenSession(context);
  const history::Remembered remembered = co_await history::ReadRemembered(session);
  auto divergences = history::CompareWithLog(remembered.events, remembered.applied);
  const std::vector<Applied> applied =
      co_await Shared(session, source, collection, remembered.applied, divergences);
  std::ranges::move(history::Compare(collection.migrations, applied, history::Order::kStrict),
                    std::back_inserter(divergences));
  std::vector<const Migration*> all;
  for (const Migration& migration : collection.migrations) all.push_back(&migration);
  std::ranges::move(history::CompareExclusions(collection.migrations, applied, all),
                    std::back_inserter(divergences));
  std::vector<Line> lines = LinesOf(collection.migrations, applied);
  const bool pending = !std::ranges::all_of(lines, &IsSettled);
  if (!context.Has("migrations")) std::erase_if(lines, &IsSettled);
  if (context.Has("migrations") || context.Has("pending")) PrintLines(context, lines, divergences);
  RefuseDivergence(divergences);
  if (context.Has("expect"))
    RefuseUnexpected(context.Get("expect"), collection.migrations, applied);
  const bool asked = context.Has("pending") || context.Has("exit-code");
  co_return asked&& pending ? ExitCode::kPending : ExitCode::kDone;
}

}  // namespace pgalter::cli
