#include "cli/partition/repart_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/partition/regroup.h"
#include "batcher/partition/self_keys.h"
#include "cli/confirm.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/room.h"
#include "engine/run/failure.h"
#include "engine/state/schema.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

// Of many, the first and the last.
std::string Listed(const std::vector<partition::Target>& targets, bool all) {
  constexpr std::size_t kMost = 15;
  constexpr std::size_t kLast = 3;
  std::string text;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const bool skipped = !all && targets.size() > kMost && i >= kLast && i + kLast < targets.size();
    if (!skipped) text += fmt::format("  {}  {}\n", targets[i].becomes, targets[i].bound);
    if (skipped && i == kLast)
      text += fmt::format("  … {} more: --dry-run lists them\n", targets.size() - 2 * kLast);
  }
  return text;
}

// Otherwise it would be found out while they wait, and each time it is tried again.
void RefuseLongMove(const partition::PreparedRepart& prepared) {
  if (prepared.moving == partition::Moving::kByCopy) return;
  const async::Milliseconds takes(prepared.bytes / partition::MovedWithin(async::Milliseconds(1)));
  const async::Milliseconds budget = prepared.ladder.hold_budget;
  if (takes <= budget) return;
  throw run::Failure(
      ExitCode::kRefused,
      fmt::format(
          "no unique index over NOT NULL columns tells the rows of {} apart: they would be "
          "moved while users wait, for {} ms or more, and they may wait for {} ms. Nothing "
          "was changed. pgalter partition split with --hold-budget {}s lets them wait; with "
          "a primary key on {}, rows are copied while it is in use",
          prepared.source.name, takes.count(), budget.count(), (2 * takes.count() + 999) / 1000,
          prepared.spec.parent));
}

std::string Layout(const partition::PreparedRepart& prepared, bool all) {
  const bool copied = prepared.moving == partition::Moving::kByCopy;
  std::string text = fmt::format(
      "{}, {}, {}: its rows are {} into {} partitions that take its place in {}; {}\n",
      prepared.source.name, AboutRows(prepared.rows, prepared.bytes),
      watch::Format(static_cast<double>(prepared.bytes), watch::Unit::kBytes),
      copied ? "copied" : "moved", prepared.spec.targets.size(), prepared.spec.parent,
      copied ? std::string("needs about as much disk again, and as much WAL")
             : fmt::format("while users wait, for at most {} ms, since no key tells its rows apart",
                           prepared.ladder.hold_budget.count()));
  text += AboutReferring(prepared.referring, prepared.spec.parent);
  return text + Listed(prepared.spec.targets, all);
}

boost::json::object ToJson(const partition::PreparedRepart& prepared,
                           const std::vector<std::size_t>& exchanges) {
  boost::json::array targets;
  for (const partition::Target& target : prepared.spec.targets)
    targets.push_back(
        {{"name", prepared.spec.home + "." + target.becomes}, {"bound", target.bound}});
  boost::json::object object{{"version", 1},
                             {"table", prepared.spec.parent},
                             {"partition", prepared.source.name},
                             {"rows", RowsJson(prepared.rows, prepared.bytes)}};
  AddRoom(object, prepared.bytes);
  object["moved"] = prepared.moving == partition::Moving::kByCopy ? "by copy" : "under lock";
  object["hold_budget_ms"] = prepared.ladder.hold_budget.count();
  object["exchanges"] = boost::json::array(exchanges.begin(), exchanges.end());
  object["referring"] = boost::json::array(prepared.referring.begin(), prepared.referring.end());
  object["partitions"] = std::move(targets);
  return object;
}

}  // namespace

std::string AboutReferring(const std::vector<std::string>& tables, const std::string& whole) {
  if (tables.empty()) return "";
  return fmt::format(
      "the foreign keys of {} that refer to {} are made again in the exchange, for which their "
      "users wait, too, and validated after it, while all go on: that reads them once\n",
      fmt::join(tables, ", "), whole);
}

Task<> RefuseManyKeys(guard::Session& session, const partition::PreparedRepart& prepared) {
  const partition::RepartSpec& spec = prepared.spec;
  const auto more = static_cast<std::int64_t>(spec.targets.size()) - 1 -
                    static_cast<std::int64_t>(spec.also.size());
  const async::Milliseconds takes =
      co_await partition::SelfKeysTake(session, spec.parent_oid, more);
  const async::Milliseconds budget = prepared.ladder.hold_budget;
  if (takes <= budget) co_return;
  throw run::Failure(
      ExitCode::kRefused,
      fmt::format("the foreign key of {0} to itself is made again on each of its partitions while "
                  "users wait, for {1} ms or more, and they may wait for {2} ms. Nothing was "
                  "changed. --hold-budget {3}s lets them wait; or drop the foreign key before, and "
                  "add it again after",
                  spec.parent, takes.count(), budget.count(), (2 * takes.count() + 999) / 1000));
}

Task<std::string> StartRepart(const Context& context, guard::Session& session,
                              const partition::PreparedRepart& prepared, std::string command,
                              std::vector<std::size_t> exchanges) {
  RefuseLongMove(prepared);
  co_await RefuseManyKeys(session, prepared);
  if (context.Has("dry-run")) {
    if (context.output == Output::kJson) {
      PrintJson(ToJson(prepared, exchanges));
    } else {
      Print(Layout(prepared, true) + "nothing was written\n");
    }
    co_return "";
  }
  if (context.output != Output::kJson) fmt::print(stderr, "{}", Layout(prepared, false));
  co_await state::RefusePublication(session);
  Confirm(context, fmt::format("Put {} partitions in the place of {}?",
                               prepared.spec.targets.size(), prepared.source.name));
  co_await state::Install(session);
  std::string run = co_await partition::CreateRepartRun(session, prepared, std::move(command));
  Say(context, fmt::format("run {}", run));
  co_return run;
}

}  // namespace pgalter::cli
