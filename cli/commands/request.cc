#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>

#include "cli/connect.h"
#include "cli/govern/refused.h"
#include "cli/json_output.h"
#include "cli/migrate/apply.h"
#include "cli/migrate/source.h"
#include "cli/migrate/writeback.h"
#include "cli/plan_input.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"
#include "engine/run/make_run.h"
#include "engine/state/schema.h"
#include "migrations/history/ending.h"
#include "migrations/history/policy.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Migration;

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()                                                     //
      ("down", "for taking the last migration back")                        //
      ("as-written", "for `up --as-written`: each statement as it stands")  //
      ("reason", po::value<std::string>()->value_name("TEXT")->default_value(""),
       "why, for the log");
  AddConsents(options);
}

struct Wanted {
  const Migration* migration = nullptr;
  history::Composed composed;
};

// Of the later ones as if the earlier were applied.
std::vector<Wanted> Ups(const Context& context, const history::Collection& collection,
                        const std::vector<history::Applied>& applied, PlanBase base) {
  const auto manner =
      context.Has("as-written") ? history::Manner::kAsWritten : history::Manner::kOnline;
  std::vector<Wanted> wanted;
  for (const std::size_t i : history::PendingOf(collection.migrations, applied)) {
    const Migration& migration = collection.migrations[i];
    Wanted one{&migration, history::ComposeUp(migration, base.schema, base.options, manner)};
    RefuseComposed(migration, one.composed);
    base.schema = history::After(migration.up.text, std::move(base.schema));
    wanted.push_back(std::move(one));
  }
  return wanted;
}

Wanted LastDown(const history::Collection& collection, const std::vector<history::Applied>& applied,
                const PlanBase& base) {
  if (applied.empty())
    throw Rejected(ExitCode::kRefused, "nothing is applied that could be taken back", "");
  const Migration& migration = FindMigration(collection, applied.back().version);
  if (!migration.down)
    throw Rejected(ExitCode::kRefused, fmt::format("{} has no way down", migration.file), "");
  Wanted one{&migration, history::ComposeDown(migration, base.schema, base.options)};
  RefuseComposed(migration, one.composed);
  return one;
}

// With what the tool of the directory did itself, where both share their history.
Task<std::vector<history::Applied>> AppliedOf(guard::Session& session,
                                              const std::optional<writeback::Book>& book,
                                              const history::Collection& collection) {
  auto ours = co_await history::ReadApplied(session);
  if (!book) co_return ours;
  const writeback::Reconciliation found = co_await LookAtBook(session, *book, collection, ours);
  RefuseDivergence(found.divergences);
  co_return writeback::Overlaid(std::move(ours), found, book->called);
}

// As the steps would be stored when it is begun.
std::string StepsJson(const plan::Plan& plan) {
  boost::json::array steps;
  for (const state::Step& step : run::StepsOf(plan))
    steps.push_back({{"id", step.id},
                     {"phase", step.phase},
                     {"kind", step.kind},
                     {"sql", boost::json::array(step.sql.begin(), step.sql.end())},
                     {"undo", boost::json::array(step.undo.begin(), step.undo.end())},
                     {"spec", step.spec}});
  return boost::json::serialize(steps);
}

// With the hash that the database has computed.
Task<boost::json::object> Told(const Context& context, guard::Session& session, std::int64_t id) {
  const auto made = co_await history::ReadRequests(session, id);
  const history::Request& request = made.at(0);
  if (context.output == Output::kText)
    Print(fmt::format("request {}: {} {}, plan {}\n", id, request.file, request.direction,
                      request.plan_sha256));
  boost::json::object told{{"request", id},
                           {"migration", request.version},
                           {"direction", request.direction},
                           {"plan_sha256", request.plan_sha256}};
  co_return told;
}

// 8-4-4-4-12 hexadecimal digits: a run, and no version of a migration.
bool IsRun(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
    if (kForm[i] == '-' ? text[i] != '-' : !digit) return false;
  }
  return true;
}

Task<ExitCode> ForRun(const Context& context, std::string run) {
  guard::Session session = co_await OpenForChange(context);
  std::int64_t id = 0;
  auto make = [&]() -> Task<> {
    id = co_await history::RequestRun(session, run, context.Get("reason"));
  };
  try {
    co_await guard::RunInTransaction(session, make);
  } catch (const pg::PgError& error) {
    RethrowAsPolicy(error);
    throw;
  }
  boost::json::array all;
  all.push_back(co_await Told(context, session, id));
  if (context.output == Output::kJson) PrintJson({{"version", 1}, {"requests", all}});
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  if (IsRun(context.Operand(0))) co_return co_await ForRun(context, context.Operand(0));
  const MigrationSettings source = SettleMigrations(context);
  const Consents consents = ConsentsOf(context);
  history::Collection collection = ReadMigrations(source);
  guard::Session session = co_await OpenForChange(context);
  const auto book = co_await FindSharedBook(session, source, collection);
  for (Migration& migration : collection.migrations) {
    co_await history::LearnCalled(session, migration.up);
    if (migration.down) co_await history::LearnCalled(session, *migration.down);
  }
  co_await state::Install(session);
  const auto applied = co_await AppliedOf(session, book, collection);
  RefuseDivergence(history::Compare(collection.migrations, applied, history::Order::kAny));
  PlanBase base = co_await ReadPlanBase(session);
  consents.AddTo(base.options);
  std::vector<Wanted> wanted;
  if (context.Has("down")) {
    wanted.push_back(LastDown(collection, applied, base));
  } else {
    wanted = Ups(context, collection, applied, std::move(base));
  }
  const std::string version = context.Operand(0);
  if (!version.empty()) {
    FindMigration(collection, version);
    std::erase_if(wanted, [&](const Wanted& one) { return one.migration->version != version; });
  }
  boost::json::array all;
  for (Wanted& one : wanted) {
    AttachEntry(one.composed.plan, book ? &*book : nullptr, *one.migration,
                context.Has("down") ? Direction::kDown : Direction::kUp);
    history::Wish wish;
    wish.direction = context.Has("down") ? "down" : "up";
    wish.steps = StepsJson(one.composed.plan);
    wish.reason = context.Get("reason");
    std::int64_t id = 0;
    auto make = [&]() -> Task<> {
      id = co_await history::MakeRequest(session, *one.migration, wish);
    };
    co_await guard::RunInTransaction(session, make);
    all.push_back(co_await Told(context, session, id));
  }
  if (context.output == Output::kJson) PrintJson({{"version", 1}, {"requests", all}});
  if (wanted.empty()) Say(context, "nothing to ask for");
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kRequestCommand;
const CommandBody kRequestCommand{
    .description =
        "Asks for approval of the migrations that are pending, or of one, or (--down) of taking "
        "the last one back. Each request names the plan by which it would be carried out here, and "
        "holds for that plan alone: when the file or the tables change, it has to be asked for "
        "again. A newer request replaces an older one. With the number of a run that the policy "
        "has not let begin, it asks for that run, as it is stored.",
    .most_operands = 1,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
