// From ordinary DDL to steps that a database in use bears. The planning itself is planner/plan's,
// which is pure; here the input and the schema are read, and the plan is written.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "cli/connect.h"
#include "cli/lint/known_schema.h"
#include "cli/lint/write_file.h"
#include "cli/migrate/rehearsal.h"
#include "cli/plan_input.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/run/published.h"
#include "migrations/formats/folder.h"
#include "planner/plan/render/format.h"

namespace pgalter::cli {

namespace po = boost::program_options;

namespace {

int Version(const Context& context) {
  const int version = context.Get<int>("server-version");
  if (version < kOldestJudged || version > kNewestJudged)
    throw Rejected(ExitCode::kUsage,
                   fmt::format("--server-version is a major version from {} to {}: not {}",
                               kOldestJudged, kNewestJudged, version),
                   "pgalter help plan");
  return version;
}

PlanBase ReadDump(const Context& context) {
  const std::string& file = context.Get("schema");
  PlanBase base;
  base.options.knowledge = plan::Knowledge::kDump;
  int unread = 0;
  try {
    unread = ApplyDump(formats::ReadWhole(file), base.schema);
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kUsage,
                   fmt::format("--schema: cannot read {}: {}", file, error.what()),
                   "what pg_dump --schema-only writes");
  }
  if (unread == 0) {
    base.schema.SetComplete();
  } else {
    Say(context, fmt::format("{}: {} statement{} not read; what they make is unknown", file, unread,
                             unread == 1 ? " was" : "s were"));
  }
  return base;
}

// `live`: the session that it was read by.
Task<PlanBase> ReadBase(const Context& context, std::optional<guard::Session>& live) {
  const bool connect = context.Has("dsn") || context.Has("env");
  const bool dump = context.Has("schema");
  if (dump && connect)
    throw Rejected(ExitCode::kUsage, "--schema and a database are two answers to one question",
                   "give one of them");
  PlanBase base;
  if (dump) {
    base = ReadDump(context);
  } else if (connect) {
    live = co_await OpenSession(context);
    base = co_await ReadPlanBase(*live);
  }
  if (context.Has("server-version")) base.options.server_version = Version(context);
  co_return base;
}

Task<plan::Plan> MakeOrRead(const Context& context, const std::string& text) {
  const PlanWishes wishes = ReadPlanWishes(context);
  if (context.Has("split")) {
    if (!context.Has("dsn") && !context.Has("env"))
      throw Rejected(ExitCode::kUsage, "what a split can move is known by the database alone",
                     "give it with --dsn or --env");
    guard::Session session = co_await OpenSession(context);
    PlanBase base = co_await ReadPlanBase(session);
    co_return co_await PlanOfSplit(context, session, std::move(base));
  }
  PlanBase base;
  // A plan that was kept is shown as it is: nothing is read for it.
  std::optional<guard::Session> live;
  if (!IsPlan(text)) base = co_await ReadBase(context, live);
  wishes.AddTo(base.options);
  plan::Plan made = PlanOf(text, base);
  if (live) co_await run::SayPublished(*live, made, base.schema);
  co_return made;
}

void AddRehearsed(const Context& context, plan::Plan& made) {
  const int found = RehearsedTimes::Read(context.Get("rehearsed")).AddTo(made, nullptr);
  Say(context, fmt::format("{} of {} steps were rehearsed", found, made.steps.size()));
}

Task<ExitCode> Run(Context& context) {
  const std::string text = ReadPlanText(context);
  plan::Plan made = co_await MakeOrRead(context, text);
  if (context.Has("rehearsed")) AddRehearsed(context, made);
  if (context.Has("out")) WriteFile(context.Get("out"), plan::FindFormat("json")->render(made));
  Print(plan::FindFormat(context.Get("output"))->render(made));
  const bool all = std::ranges::all_of(made.statements, [](const plan::Statement& statement) {
    return plan::HasSteps(statement.answer);
  });
  co_return !all ? ExitCode::kRefused : ExitCode::kDone;
}

void AddOptions(po::options_description& options) {
  AddPlanInput(options);
  options.add_options()  //
      ("schema", po::value<std::string>()->value_name("FILE"),
       "what there is: a dump by pg_dump --schema-only")  //
      ("server-version", po::value<int>()->value_name("N"),
       "the major version that production runs, 13 to 18; default: the database's, else 15")  //
      ("rehearsed", po::value<std::string>()->value_name("FILE"),
       "show what the same steps took in pgalter rehearse --rows --out FILE")  //
      ("out", po::value<std::string>()->value_name("FILE"),
       "write the plan to FILE as JSON as well");
}

}  // namespace

extern const CommandBody kPlanCommand;
const CommandBody kPlanCommand{
    .description =
        "Takes ordinary DDL and answers with steps that a database in use bears: what runs, which "
        "lock it takes and who waits for it, what is rewritten or read whole, how long it may "
        "take, whether old and new programs live with it, and how it is taken back. A statement "
        "without a risk runs as it is; one that cannot be done online is said to be so, with the "
        "least bad way.\n\n"
        "With --dsn or --env the schema, sizes and estimates are read from the database; with "
        "--schema from a dump; without either the plan says what it does not know. Nothing is "
        "changed. A plan that was kept with --out is shown again, in any format.\n\n"
        "Exit codes: 0 a plan, 4 a statement cannot be done, 2 usage, 9 no connection.",
    .most_operands = 1,
    .outputs = "text json sql markdown mermaid",
    .takes_files = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
