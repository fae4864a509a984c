#include "cli/partition/repart_run.h"

#include <fmt/format.h>

#include "cli/confirm.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
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

std::string Layout(const partition::PreparedRepart& prepared, bool all) {
  std::string text = fmt::format(
      "{}, {}, {}: its rows are copied into {} partitions that take its place in {}; "
      "needs about as much disk again, and as much WAL\n",
      prepared.source.name, AboutRows(prepared.rows, prepared.bytes),
      watch::Format(static_cast<double>(prepared.bytes), watch::Unit::kBytes),
      prepared.spec.targets.size(), prepared.spec.parent);
  return text + Listed(prepared.spec.targets, all);
}

boost::json::object ToJson(const partition::PreparedRepart& prepared) {
  boost::json::array targets;
  for (const partition::Target& target : prepared.spec.targets)
    targets.push_back({{"name", target.becomes}, {"bound", target.bound}});
  return {{"version", 1},
          {"table", prepared.spec.parent},
          {"partition", prepared.source.name},
          {"rows", static_cast<std::int64_t>(prepared.rows)},
          {"extra_bytes", 2 * prepared.bytes},
          {"partitions", std::move(targets)}};
}

}  // namespace

Task<std::string> StartRepart(const Context& context, guard::Session& session,
                              const partition::PreparedRepart& prepared, std::string command) {
  if (context.Has("dry-run")) {
    if (context.output == Output::kJson) {
      PrintJson(ToJson(prepared));
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
