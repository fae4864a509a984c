#include "cli/plan_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <stdexcept>
#include <utility>

#include "batcher/split/split_plan.h"
#include "cli/lint/settings.h"
#include "cli/rejected.h"
#include "engine/catalog/read_schema.h"
#include "engine/run/read_firing.h"
#include "migrations/formats/folder.h"
#include "planner/plan/json.h"

namespace pgalter::cli {

namespace {

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, what, hint);
}

}  // namespace

void AddPlanInput(boost::program_options::options_description& options) {
  options.add_options()("sql",
                        boost::program_options::value<std::string>()->value_name("STATEMENTS"),
                        "the statements, instead of a file");
  options.add_options()("split", boost::program_options::value<std::string>()->value_name("WISH"),
                        "instead of statements: 'orders (note, noted_at) INTO order_note', which "
                        "moves these columns to a new table");
  options.add_options()(
      "prefer",
      boost::program_options::value<std::string>()->default_value("in-place")->value_name("WAY"),
      "in-place | rebuild: where every row has to be written anew, a new column beside the old "
      "one, or a copy of the table; copies of tables that foreign keys join change places in one "
      "moment");
  AddConsents(options);
}

void AddConsents(boost::program_options::options_description& options) {
  options.add_options()("rebuild-matviews",
                        "where a copy takes the table's place, make materialized views that read "
                        "it anew over the copy, and refresh them");
  options.add_options()("fire-triggers",
                        "where rows are filled for a statement that fires no trigger, and triggers "
                        "of users cannot be kept from firing for them, let them fire");
}

Consents ConsentsOf(const Context& context) {
  Consents consents;
  const bool as_written = context.Has("as-written");
  if (as_written && context.Has("rebuild-matviews"))
    Refuse("--rebuild-matviews and --as-written do not go together",
           "statements that run as they stand copy no table");
  if (as_written && context.Has("fire-triggers"))
    Refuse("--fire-triggers and --as-written do not go together",
           "statements that run as they stand fill no rows in steps");
  if (context.Has("rebuild-matviews")) consents.matviews = plan::Matviews::kMadeAnew;
  consents.fire_triggers = context.Has("fire-triggers");
  return consents;
}

PlanWishes ReadPlanWishes(const Context& context) {
  PlanWishes wishes;
  const auto& text = context.Get("prefer");
  if (text != "in-place" && text != "rebuild")
    Refuse(fmt::format("--prefer \"{}\" is not known", text), "in-place or rebuild");
  if (text == "rebuild") wishes.prefer = plan::Preference::kRebuild;
  wishes.consents = ConsentsOf(context);
  if (context.Has("split") && text == "rebuild")
    Refuse("--split and --prefer do not go together", "a split has one way");
  if (context.Has("split") && context.Has("rebuild-matviews"))
    Refuse("--split and --rebuild-matviews do not go together", "a split copies no table");
  if (context.Has("split") && context.Has("fire-triggers"))
    Refuse("--split and --fire-triggers do not go together", "a split changes no row of its table");
  return wishes;
}

std::string ReadPlanText(const Context& context) {
  const std::string name = context.Operand(0);
  const std::string command(context.command->name);
  if (context.Has("split")) {
    if (context.Has("sql") || !name.empty())
      Refuse("--split and statements are two inputs", "one of them");
    return "";
  }
  if (context.Has("sql") == !name.empty())
    Refuse(name.empty()
               ? fmt::format("{} needs a file, \"-\" for standard input, --sql or --split", command)
               : fmt::format("\"{}\" and --sql are two inputs", name),
           fmt::format("one of them: pgalter {} --sql \"ALTER TABLE ...\"", command));
  if (context.Has("sql")) return context.Get("sql");
  try {
    return formats::ReadWhole(name == "-" ? "/dev/stdin" : name);
  } catch (const std::runtime_error& error) {
    Refuse(fmt::format("cannot read {}: {}", name, error.what()),
           "a file of SQL, a plan that was kept with --out, or --sql");
  }
}

bool IsPlan(const std::string& text) {
  // SQL never begins with a brace.
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '{';
}

plan::Plan ParsePlan(const std::string& text) {
  const std::string hint = "pgalter plan --out FILE writes one";
  boost::system::error_code error;
  const auto json = boost::json::parse(text, error);
  if (error) Refuse(fmt::format("the plan is no JSON: {}", error.message()), hint);
  auto plan = plan::FromJson(json);
  if (!plan) Refuse(fmt::format("this is no plan: {}", plan.error().message), hint);
  return std::move(*plan);
}

Task<PlanBase> ReadPlanBase(guard::Session& session) {
  const int major = session.db().server_version() / 10000;
  if (major < kOldestJudged)
    throw Rejected(ExitCode::kUnsupported,
                   fmt::format("the server is PostgreSQL {}; what statements do is known for {} "
                               "to {}",
                               major, kOldestJudged, kNewestJudged),
                   "give a dump with --schema, and --server-version");
  PlanBase base;
  base.options.knowledge = plan::Knowledge::kLive;
  base.options.server_version = std::min(major, kNewestJudged);
  base.schema = co_await live::ReadSchema(session);
  base.options.firing = co_await run::ReadFiring(session);
  co_return base;
}

Task<plan::Plan> PlanOfSplit(const Context& context, guard::Session& session, PlanBase base) {
  const auto wish = split::ReadWish(context.Get("split"));
  if (!wish) Refuse(fmt::format("--split: {}", wish.error().message), wish.error().hint);
  co_return co_await split::MakeSplitPlan(session, *wish, std::move(base.schema), base.options);
}

plan::Plan PlanOf(const std::string& text, PlanBase base) {
  if (IsPlan(text)) {
    if (base.options.prefer != plan::Preference::kInPlace)
      Refuse("--prefer is for statements, and this plan is made", "make it anew from them");
    if (base.options.matviews != plan::Matviews::kInTheWay)
      Refuse("--rebuild-matviews is for statements, and this plan is made",
             "make it anew from them, with it");
    if (base.options.firing.accepted)
      Refuse("--fire-triggers is for statements, and this plan is made",
             "make it anew from them, with it");
    return ParsePlan(text);
  }
  return plan::MakePlan(text, std::move(base.schema), base.options);
}

}  // namespace pgalter::cli
