#include "cli/migrate/preview.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>

#include "cli/json_output.h"
#include "cli/migrate/apply.h"
#include "cli/plan_input.h"
#include "cli/report.h"
#include "engine/run/published.h"
#include "migrations/history/ending.h"
#include "planner/plan/json.h"
#include "planner/plan/render/format.h"

namespace pgalter::cli {

namespace {

// Where there is nothing to run there is no step that could carry it.
std::string AttachOrSay(const writeback::Book* book, const history::Migration& migration,
                        history::Composed& composed) {
  if (book == nullptr) return "";
  AttachEntry(composed.plan, book, migration, Direction::kUp);
  if (!composed.plan.steps.empty()) return "";
  const auto entry = writeback::EntryOf(*book, migration);
  return fmt::format("{} is told: {}", book->called, fmt::join(entry.in, "; "));
}

}  // namespace

Task<> PrintPlans(const Context& context, guard::Session& session, const Migrations& migrations,
                  history::Manner manner, const writeback::Book* book,
                  const RehearsedTimes* rehearsed) {
  PlanBase base = co_await ReadPlanBase(session);
  ConsentsOf(context).AddTo(base.options);
  boost::json::array plans;
  for (const history::Migration* migration : migrations) {
    history::Migration learnt = *migration;
    co_await history::LearnCalled(session, learnt.up);
    history::Composed composed = history::ComposeUp(learnt, base.schema, base.options, manner);
    RefuseComposed(*migration, composed);
    co_await run::SayPublished(session, composed.plan, base.schema);
    const std::string told = AttachOrSay(book, *migration, composed);
    if (!told.empty()) composed.remarks.push_back(told);
    if (rehearsed != nullptr && rehearsed->AddTo(composed.plan, migration) == 0 &&
        !composed.plan.steps.empty())
      composed.remarks.emplace_back("it was not rehearsed as it is now");
    base.schema = history::After(migration->up.text, std::move(base.schema));
    if (context.output == Output::kJson) {
      plans.push_back({{"version", migration->version},
                       {"file", migration->file},
                       {"plan", plan::ToJson(composed.plan)}});
      continue;
    }
    std::string text = fmt::format("== {} {}\n", migration->version, migration->file);
    for (const std::string& remark : composed.remarks) text += fmt::format("{}\n", remark);
    Print(text + plan::FindFormat("text")->render(composed.plan) + "\n");
  }
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"migrations", plans}});
  } else {
    Print("nothing was written\n");
  }
}

void PrintSql(const Context& context, const Migrations& migrations, history::Manner manner) {
  plan::PlanOptions options;
  ConsentsOf(context).AddTo(options);
  options.knowledge = plan::Knowledge::kNone;
  catalog::Schema schema;
  for (const history::Migration* migration : migrations) {
    const history::Composed composed = history::ComposeUp(*migration, schema, options, manner);
    RefuseComposed(*migration, composed);
    schema = history::After(migration->up.text, std::move(schema));
    Print(fmt::format("-- {}\n{}\n", migration->file,
                      plan::FindFormat("sql")->render(composed.plan)));
  }
}

}  // namespace pgalter::cli
