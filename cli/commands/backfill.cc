#include <fmt/format.h>

#include <cstdlib>

#include "batcher/backfill/estimate.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/govern/open_run.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pace.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

void AddOptions(po::options_description& options) {
  AddBreakGlass(options);
  options.add_options()                                                                           //
      ("set", po::value<std::string>(), "what to set, as in UPDATE: 'col = expr[, col = expr]'")  //
      ("where", po::value<std::string>(), "only rows for which this condition is true")           //
      ("workers", po::value<int>()->default_value(1), "sessions that work at a time")             //
      ("chunk-time", po::value<std::string>()->default_value("100ms"),
       "how long a chunk may hold its rows")  //
      ("bind", po::value<Words>()->composing(),
       "name=env:VARIABLE: a value for :name in an expression, which no statement shows")  //
      ("throttle-query", po::value<std::string>(),
       "SQL that returns a number; at 1, or at --throttle throttle-query=LIMIT, all stops")  //
      ("on-error", po::value<std::string>()->default_value("stop"),
       "stop | quarantine: what becomes of a row whose value cannot be made")  //
      ("sync", po::value<std::string>()->default_value("auto"),
       "auto | keep | none: a trigger that keeps new and changed rows right")  //
      ("stripes", po::value<int>()->default_value(0),
       "passes over a window; 0: by the table's shape, 1: plain ranges")  //
      ("xmin-wait", po::value<std::string>()->default_value("30s"),
       "how long to wait for an old transaction that stops pruning")  //
      ("dry-run", "say what would be done, and write nothing")        //
      ("detach", "leave a background runner, and return");
  AddCanaryOption(options);
  AddThrottleOptions(options);
}

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, what, hint);
}

double Seconds(const Context& context, const char* option) {
  const auto& text = context.Get(option);
  const auto seconds = watch::Parse(text, watch::Unit::kSeconds);
  if (!seconds || *seconds < 0)
    Refuse(fmt::format("--{} \"{}\" is no duration", option, text), "write 100ms, 5s or 2min");
  return *seconds;
}

template <class Choice>
Choice OneOf(const Context& context, const char* option,
             std::initializer_list<std::pair<const char*, Choice>> choices) {
  const auto& text = context.Get(option);
  std::string known;
  for (const auto& [name, choice] : choices) {
    if (text == name) return choice;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  Refuse(fmt::format("--{} \"{}\" is not known", option, text), "one of: " + known);
}

std::pair<std::string, std::string> Cut(const std::string& text, const char* option,
                                        const char* form) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos)
    Refuse(fmt::format("--{} \"{}\" is not understood", option, text),
           fmt::format("write {}", form));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void AddBinds(const Context& context, backfill::Spec& spec) {
  if (!context.Has("bind")) return;
  constexpr std::string_view kFrom = "env:";
  for (const std::string& text : context.Get<Words>("bind")) {
    const auto [name, from] = Cut(text, "bind", "name=env:VARIABLE");
    if (!from.starts_with(kFrom) || from.size() == kFrom.size())
      Refuse(fmt::format("--bind {} does not name an environment variable", name),
             "a value on the command line could be seen by others: write name=env:VARIABLE");
    const std::string variable = from.substr(kFrom.size());
    if (std::getenv(variable.c_str()) == nullptr)
      Refuse(fmt::format("--bind {}: the environment has no variable {}", name, variable),
             "export it first");
    spec.binds[name] = variable;
  }
}

backfill::Spec SpecOf(const Context& context) {
  constexpr int kMostWorkers = 64;
  backfill::Spec spec;
  spec.table = context.Operand(0);
  if (!context.Has("set"))
    Refuse("backfill needs to know what to set",
           "pgalter backfill TABLE --set 'column = expression'");
  spec.set_text = context.Get("set");
  if (context.Has("where")) spec.where = context.Get("where");
  spec.workers = context.Get<int>("workers");
  if (spec.workers < 1 || spec.workers > kMostWorkers)
    Refuse(fmt::format("--workers {} is out of range", spec.workers), "1 to 64");
  spec.stripes = context.Get<int>("stripes");
  if (spec.stripes < 0 || spec.stripes > backfill::kPositions)
    Refuse(fmt::format("--stripes {} is out of range", spec.stripes),
           fmt::format("0 to {}", backfill::kPositions));
  const double chunk_ms = Seconds(context, "chunk-time") * 1000;
  if (chunk_ms < 5 || chunk_ms > 10'000)
    Refuse("--chunk-time is out of range", "5ms to 10s; users may wait for as long as that");
  spec.chunk_time = backfill::Milliseconds(static_cast<std::int64_t>(chunk_ms));
  spec.xmin_wait = std::chrono::seconds(static_cast<std::int64_t>(Seconds(context, "xmin-wait")));
  spec.on_error = OneOf<backfill::OnError>(
      context, "on-error",
      {{"stop", backfill::OnError::kStop}, {"quarantine", backfill::OnError::kQuarantine}});
  spec.sync = OneOf<backfill::Sync>(context, "sync",
                                    {{"auto", backfill::Sync::kAuto},
                                     {"keep", backfill::Sync::kKeep},
                                     {"none", backfill::Sync::kNone}});
  AddBinds(context, spec);
  spec.throttle = ThrottleOf(context);
  AddCanary(context, spec.throttle);
  if (context.Has("throttle-query")) spec.throttle["query"] = context.Get("throttle-query");
  return spec;
}

std::string Megabytes(std::int64_t bytes) {
  return watch::Format(static_cast<double>(bytes), watch::Unit::kBytes);
}

void SayPlan(const Context& context, const backfill::Prepared& prepared,
             const backfill::Estimate& estimate) {
  if (context.output == Output::kJson) {
    boost::json::array remarks;
    for (const std::string& remark : prepared.remarks) remarks.emplace_back(remark);
    boost::json::array triggers;
    for (const std::string& trigger : prepared.triggers) triggers.emplace_back(trigger);
    PrintJson({{"version", 1},
               {"table", prepared.table.name},
               {"rows", estimate.rows},
               {"table_rows", estimate.table_rows},
               {"table_bytes", estimate.table_bytes},
               {"wal_bytes", {{"low", estimate.wal_low_bytes}, {"high", estimate.wal_high_bytes}}},
               {"duration", {{"low_s", estimate.low_s}, {"high_s", estimate.high_s}}},
               {"relations", prepared.leaves.size()},
               {"stripes", estimate.stripes},
               {"sync_trigger", prepared.spec.has_trigger},
               {"triggers", triggers},
               {"remarks", remarks}});
    return;
  }
  std::string text = fmt::format(
      "table      {}{}\nrows       about {} of {} need work\nsize       {}\n"
      "time       {} with {} worker{}\nWAL        about {} to {}\nmethod     {}\n",
      prepared.table.name,
      prepared.leaves.size() > 1 ? fmt::format(" ({} relations)", prepared.leaves.size()) : "",
      HumanCount(estimate.rows), HumanCount(estimate.table_rows), Megabytes(estimate.table_bytes),
      HumanRange(estimate.low_s, estimate.high_s), prepared.spec.workers,
      prepared.spec.workers == 1 ? "" : "s", Megabytes(estimate.wal_low_bytes),
      Megabytes(estimate.wal_high_bytes),
      estimate.stripes > 1
          ? fmt::format("{} striped passes over windows of blocks", estimate.stripes)
          : "plain ranges of blocks");
  text += fmt::format("needs work {}\n", prepared.work.needs);
  for (const std::string& remark : prepared.remarks) text += fmt::format("note       {}\n", remark);
  Print(text + "nothing was written\n");
}

Task<ExitCode> DryRun(Context& context, backfill::Spec spec) {
  guard::Session session = co_await OpenForChange(context);
  // The server sees to it that nothing is written.
  co_await session.db().Query("SELECT set_config('default_transaction_read_only', 'on', false)");
  const backfill::Prepared prepared =
      co_await backfill::Prepare(session, std::move(spec), backfill::Resolving::kAsWritten);
  const backfill::Estimate estimate = co_await backfill::MakeEstimate(session, prepared);
  SayPlan(context, prepared, estimate);
  co_return ExitCode::kDone;
}

Task<std::string> MakeRun(const Context& context, backfill::Spec spec) {
  guard::Session session = co_await OpenForChange(context);
  co_await state::RefusePublication(session);
  const backfill::Prepared prepared =
      co_await backfill::Prepare(session, std::move(spec), backfill::Resolving::kQualified);
  for (const std::string& remark : prepared.remarks) Say(context, "note: " + remark);
  Confirm(context, fmt::format("Backfill {}?", prepared.table.name));
  co_await state::Install(session);
  std::string run = co_await backfill::CreateRun(session, prepared);
  Say(context, fmt::format("run {}", run));
  co_return run;
}

Task<ExitCode> Run(Context& context) {
  backfill::Spec spec = SpecOf(context);
  if (context.Has("dry-run")) co_return co_await DryRun(context, std::move(spec));
  const std::string run = co_await MakeRun(context, std::move(spec));
  if (context.Has("detach")) co_return co_await Detach(context, run);
  co_return co_await RunInForeground(context, run);
}

}  // namespace

extern const CommandBody kBackfillCommand;
const CommandBody kBackfillCommand{
    .description =
        "Sets columns of all rows of a large table while it is in full use: in short chunks, "
        "throttled by what the server and its standbys bear, to be paused, resumed and watched "
        "from any shell. TABLE is written as in SQL; a partitioned table is worked on leaf by "
        "leaf.\n\n"
        "Where the value derives from other columns, a trigger sets it for rows that users insert "
        "or change, until `pgalter finish`. The first SIGINT pauses; after a crash of whatever "
        "kind, `pgalter resume` goes on from the last chunk.",
    .most_operands = 1,
    .least_operands = 1,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
