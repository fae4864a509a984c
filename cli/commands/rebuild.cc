#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "batcher/rebuild/prepare.h"
#include "batcher/rebuild/room.h"
#include "cli/capture_options.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/govern/open_run.h"
#include "cli/hold_budget.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pace.h"
#include "cli/rebuild_tables.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/room.h"
#include "engine/state/json_texts.h"
#include "engine/state/schema.h"
#include "engine/watch/unit.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

void AddOptions(po::options_description& options) {
  AddBreakGlass(options);
  options.add_options()  //
      ("alter", po::value<Words>()->composing(),
       "the new definition, as behind ALTER TABLE: 'ALTER c TYPE bigint, DROP d'; of one of "
       "several "
       "tables: 'TABLE: ALTER c TYPE bigint'")  //
      ("definition", po::value<std::string>(),
       "a file with the new definition instead: CREATE TABLE, its partitions and indexes, of as "
       "many of the tables as are to have another one; - reads stdin")            //
      ("allow-weaker-keys", "a unique key may go, or be joined by more columns")  //
      ("map", po::value<Words>()->composing(),
       "column = expression over the old row: the value of a column of the new table; of one of "
       "several tables: 'TABLE: column = expression'")  //
      ("order-by", po::value<Words>()->composing(),
       "columns by which the rows are to lie on disk, as CLUSTER leaves them: 'customer, made'; of "
       "one of several tables: 'TABLE: customer, made'")  //
      ("tablespace", po::value<Words>()->composing(),
       "where the new table is to be; of one of several tables: 'TABLE: NAME', else of all")  //
      ("access-method", po::value<Words>()->composing(),
       "how its rows are to be stored; of one of several tables: 'TABLE: NAME', else of all")  //
      ("rebuild-matviews",
       "make materialized views that read the table anew over the new one, and refresh them")  //
      ("cutover", po::value<std::string>()->default_value("auto"),
       "auto, or wait: not before pgalter cutover RUN")                                           //
      ("workers", po::value<int>()->default_value(1), "sessions that copy at a time")             //
      ("chunk-time", po::value<std::string>()->default_value("500ms"), "how long a chunk takes")  //
      ("hold-budget", po::value<std::string>()->default_value("1s"),
       "for so long users may wait while the tables change places; many partitions take longer")  //
      ("dry-run", "say what would be done, and write nothing")                                    //
      ("detach", "leave a background runner, and return");
  AddCanaryOption(options);
  AddThrottleOptions(options);
  AddCaptureOptions(options);
}

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, what, hint);
}

std::string ReadDefinition(const Context& context) {
  const auto& path = context.Get("definition");
  if (context.Has("alter") && context.operands.size() == 1)
    Refuse("--alter and --definition are two ways to say the same",
           "write what is to change into the definition");
  std::ifstream file;
  if (path != "-") file.open(path);
  std::istream& from = path == "-" ? std::cin : file;
  std::ostringstream text;
  text << from.rdbuf();
  if (from.fail() || text.str().empty())
    Refuse(fmt::format("cannot read --definition {}", path), "a file with CREATE TABLE …");
  return text.str();
}

// Where and how the rows are stored is an action as any other.
std::string AlterOf(const TableWish& wish) {
  std::string alter = wish.alter;
  for (const auto& [name, action] : {std::pair{&wish.tablespace, "SET TABLESPACE "},
                                     std::pair{&wish.access_method, "SET ACCESS METHOD "}}) {
    if (name->empty()) continue;
    if (!alter.empty()) alter += ", ";
    alter += action + sql::QuoteIdentifier(*name);
  }
  return alter;
}

Words WordsOf(const Context& context, const char* option) {
  return context.Has(option) ? context.Get<Words>(option) : Words();
}

void ReadTables(const Context& context, rebuild::Spec& spec) {
  TableOptions options;
  options.alters = WordsOf(context, "alter");
  options.maps = WordsOf(context, "map");
  options.orders = WordsOf(context, "order-by");
  options.tablespaces = WordsOf(context, "tablespace");
  options.access_methods = WordsOf(context, "access-method");
  options.has_definition = context.Has("definition");
  const auto wishes = ReadTableWishes(context.operands, options);
  spec.table = wishes.front().table;
  spec.alter = AlterOf(wishes.front());
  spec.maps = wishes.front().maps;
  spec.order_by = wishes.front().order_by;
  for (auto wish = wishes.begin() + 1; wish != wishes.end(); ++wish) {
    rebuild::Companion companion;
    companion.table = wish->table;
    companion.alter = AlterOf(*wish);
    companion.maps = wish->maps;
    companion.order_by = wish->order_by;
    spec.companions.push_back(std::move(companion));
  }
}

rebuild::Spec SpecOf(const Context& context) {
  constexpr int kMostWorkers = 64;
  rebuild::Spec spec;
  ReadTables(context, spec);
  if (context.Has("definition")) {
    std::string text = ReadDefinition(context);
    (spec.companions.empty() ? spec.definition : spec.definitions) = std::move(text);
  }
  spec.allow_weaker_keys = context.Has("allow-weaker-keys");
  spec.rebuild_matviews = context.Has("rebuild-matviews");
  const auto& cutover = context.Get("cutover");
  if (cutover != "auto" && cutover != "wait")
    Refuse(fmt::format("--cutover \"{}\" is not known", cutover), "auto or wait");
  spec.waits_at_cutover = cutover == "wait";
  spec.workers = context.Get<int>("workers");
  if (spec.workers < 1 || spec.workers > kMostWorkers)
    Refuse(fmt::format("--workers {} is out of range", spec.workers), "1 to 64");
  if (spec.workers > 1 && context.Has("order-by"))
    Refuse("--workers and --order-by do not go together",
           "rows that several sessions write are in no order; leave --workers out");
  const auto& chunk_time = context.Get("chunk-time");
  const auto seconds = watch::Parse(chunk_time, watch::Unit::kSeconds);
  if (!seconds || *seconds < 0.005 || *seconds > 60)
    Refuse(fmt::format("--chunk-time \"{}\" is out of range", chunk_time), "5ms to 60s");
  spec.chunk_time = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
  if (context.Has("canary") && context.Has("order-by"))
    Refuse("--canary and --order-by do not go together",
           "a copy in an order has no blocks to count its first part by; leave one of them out");
  spec.throttle = ThrottleOf(context);
  ReadCaptureOptions(context, spec);
  AddCanary(context, spec.throttle);
  return spec;
}

void SayPlan(const Context& context, const rebuild::Prepared& prepared) {
  if (context.output == Output::kJson) {
    boost::json::array changes;
    for (const rebuild::Asked& asked : prepared.asked())
      changes.push_back({{"table", asked.table}, {"change", asked.change}});
    boost::json::object object{{"version", 1},
                               {"table", prepared.tables()},
                               {"changes", std::move(changes)},
                               {"rows", RowsJson(prepared.rows, prepared.bytes)}};
    AddRoom(object, prepared.bytes);
    object["remarks"] = state::ArrayOf(prepared.remarks);
    PrintJson(object);
    return;
  }
  std::string tables;
  for (const rebuild::Asked& asked : prepared.asked())
    tables += fmt::format("table      {}: {}\n", asked.table, asked.change);
  const std::string size = watch::Format(static_cast<double>(prepared.bytes), watch::Unit::kBytes);
  std::string notes;
  for (const std::string& remark : prepared.remarks)
    notes += fmt::format("note       {}\n", remark);
  Print(fmt::format(
      "{}rows       {}\nsize       {}\ndisk       about {} more until finish, and as much "
      "WAL\n{}nothing was written\n",
      tables, AboutCount(prepared.rows, prepared.bytes), size, size, notes));
}

// Not into the log: users' expressions have literals in them.
void SayAsked(const Context& context, const rebuild::Prepared& prepared) {
  if (context.output == Output::kJson) return;
  for (const rebuild::Asked& asked : prepared.asked())
    fmt::print(stderr, "pgalter: {}: {}\n", asked.table, asked.change);
}

Task<std::string> MakeRun(const Context& context, rebuild::Spec spec) {
  guard::Session session = co_await OpenForChange(context);
  co_await state::RefusePublication(session);
  rebuild::Prepared prepared =
      co_await rebuild::Prepare(session, std::move(spec), rebuild::Checking::kRehearse);
  SayAsked(context, prepared);
  for (const std::string& remark : prepared.remarks) Say(context, "note: " + remark);
  Confirm(context, fmt::format("Rebuild {}?", prepared.tables()));
  co_await state::Install(session);
  prepared.hold_budget = HoldBudgetOf(context);
  std::string run = co_await rebuild::CreateRun(session, prepared);
  Say(context, fmt::format("run {}", run));
  co_return run;
}

Task<ExitCode> DryRun(Context& context, rebuild::Spec spec) {
  guard::Session session = co_await OpenForChange(context);
  const pg::Result standby = co_await session.db().Query("SELECT pg_catalog.pg_is_in_recovery()");
  auto how = rebuild::Checking::kRehearse;
  if (standby.Get<bool>(0, 0)) how = rebuild::Checking::kLookOnly;
  rebuild::Prepared prepared = co_await rebuild::Prepare(session, std::move(spec), how);
  rebuild::RefuseTooSmallBudget(prepared.spec, prepared.tables(), prepared.bytes);
  if (how == rebuild::Checking::kLookOnly)
    prepared.remarks.emplace_back(
        "this is a standby: the new definition was not tried, which the primary would do");
  SayPlan(context, prepared);
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  rebuild::Spec spec = SpecOf(context);
  (void)HoldBudgetOf(context);  // refused before anything is looked at
  if (context.Has("dry-run")) co_return co_await DryRun(context, std::move(spec));
  const std::string run = co_await MakeRun(context, std::move(spec));
  if (context.Has("detach")) co_return co_await Detach(context, run);
  co_return co_await RunInForeground(context, run);
}

}  // namespace

extern const CommandBody kRebuildCommand;
const CommandBody kRebuildCommand{
    .description =
        "Makes a table anew while it is in full use, with another definition or the same: a shadow "
        "table is filled in chunks, what users change meanwhile is carried over by keys, both are "
        "compared row by row, and then they change places in one short transaction, with "
        "everything that hangs on the table. TABLE is written as in SQL. Several tables, such as "
        "one "
        "and those that refer to it, change places in the same transaction: each --alter, --map "
        "and --order-by "
        "then begins with the table that it is for, as in 'orders: ALTER id TYPE bigint', and one "
        "file of --definition has the definitions of as many of them as one likes.\n\n"
        "The old table stays in a schema of the run's until `pgalter finish`. The first SIGINT "
        "pauses; after a crash of whatever kind, `pgalter resume` goes on from the last chunk; "
        "until "
        "the tables have changed places, `pgalter abort` leaves all as it was.",
    .most_operands = 32,
    .least_operands = 1,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
