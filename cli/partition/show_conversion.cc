#include "cli/partition/show_conversion.h"

#include <fmt/format.h>

#include "batcher/partition/moment.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/room.h"
#include "engine/state/json_texts.h"
#include "engine/watch/unit.h"
#include "planner/plan/estimate.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

namespace json = boost::json;
using Costs = std::vector<partition::Cost>;

std::string ByOf(const partition::Spec& spec) {
  return fmt::format("RANGE ({})", sql::QuoteIdentifier(spec.column.name));
}

std::string BoundOf(const partition::Range& range) {
  return fmt::format("FOR VALUES FROM ({}) TO ({})", range.from, range.to);
}

std::string InWords(const Costs& costs) {
  if (costs.empty()) return "";
  std::string text;
  for (const partition::Cost& cost : costs)
    text += fmt::format("{}: {}, {} of disk; users blocked for {}; rows of now {}\n", cost.strategy,
                        plan::InWords(cost.time),
                        watch::Format(static_cast<double>(cost.bytes), watch::Unit::kBytes),
                        cost.blocked, cost.rows);
  return text + fmt::format("--strategy auto takes {}\n", costs.front().strategy);
}

// The time that a bound of uuids stands for, which begins the first of the new ranges.
std::string EndOf(const partition::Spec& spec) {
  if (spec.next.empty() || spec.next.front().from != spec.upto) return "";
  const std::string times = partition::TimesOfBound(BoundOf(spec.next.front()));
  return times.empty() ? "" : " = " + times.substr(0, times.find(" to "));
}

std::string Layout(const partition::Prepared& prepared) {
  const partition::Spec& spec = prepared.spec;
  std::string text = fmt::format(
      "{}, {}, {}: by range of {}, every {}, in {}\n", spec.table,
      AboutRows(prepared.rows, prepared.bytes),
      watch::Format(static_cast<double>(prepared.bytes), watch::Unit::kBytes),
      sql::QuoteIdentifier(spec.column.name), partition::ToString(spec.period), spec.time_zone);
  text += fmt::format("  {}  up to {}: all rows of now, none is copied\n", spec.first,
                      spec.upto + EndOf(spec));
  for (const partition::Range& range : spec.next) {
    const std::string times = partition::TimesOfBound(BoundOf(range));
    text += fmt::format("  {}  from {} to {}{}\n", range.name, range.from, range.to,
                        times.empty() ? "" : " = " + times);
  }
  if (spec.then.any())
    text += fmt::format("  each of the new ranges by {}, into {}\n", spec.then.by,
                        spec.then.parts.size());
  if (!spec.rest.empty()) text += fmt::format("  {}  whatever fits nowhere else\n", spec.rest);
  for (const std::string& remark : prepared.remarks) text += remark + "\n";
  text += fmt::format(
      "From the CHECK of the bound until the cut-over, rows from {} on are refused: do not let "
      "the run rest for so long.\n",
      spec.upto);
  return text;
}

json::array ToJson(const Costs& costs) {
  json::array array;
  for (const partition::Cost& cost : costs)
    array.push_back({{"strategy", cost.strategy},
                     {"seconds", {{"low", cost.time.low_s}, {"high", cost.time.high_s}}},
                     {"disk_bytes", cost.bytes},
                     {"blocked", cost.blocked},
                     {"rows", cost.rows},
                     {"chosen", &cost == &costs.front()}});
  return array;
}

json::array PartsOf(const partition::Spec& spec) {
  json::array parts;
  const auto add = [&](const std::string& name, const std::string& bound, bool attached) {
    parts.push_back({{"name", spec.home + "." + name}, {"bound", bound}, {"attached", attached}});
  };
  add(spec.first, fmt::format("FOR VALUES FROM (MINVALUE) TO ({})", spec.upto), true);
  for (const partition::Range& range : spec.next) add(range.name, BoundOf(range), false);
  if (!spec.rest.empty()) add(spec.rest, "DEFAULT", false);
  return parts;
}

json::object ToJson(const partition::Prepared& prepared, const Costs& costs) {
  const partition::Spec& spec = prepared.spec;
  json::object object{{"version", 1},
                      {"table", spec.table},
                      {"strategy", "attach"},
                      {"by", ByOf(spec)},
                      {"then", spec.then.any() ? json::value(spec.then.by) : json::value()},
                      {"every", partition::ToString(spec.period)},
                      {"time_zone", spec.time_zone},
                      {"rows", RowsJson(prepared.rows, prepared.bytes)},
                      {"table_bytes", prepared.bytes},
                      {"disk_bytes", nullptr},
                      {"wal_bytes", nullptr},
                      {"extra_bytes", nullptr},
                      {"definition", nullptr},
                      {"partitions", PartsOf(spec)},
                      {"refused_from", partition::TextOf(spec.upto)},
                      {"remarks", state::ArrayOf(prepared.remarks)},
                      {"strategies", ToJson(costs)}};
  return object;
}

json::object ToJson(const partition::Definition& definition, const rebuild::Prepared& prepared) {
  json::array parts;
  for (const partition::DefinedPart& part : definition.partitions)
    parts.push_back({{"name", part.name}, {"bound", part.bound}, {"attached", false}});
  json::object object{
      {"version", 1},
      {"table", prepared.table.name},
      {"strategy", "copy"},
      {"by", definition.by},
      {"then", definition.then.empty() ? json::value() : json::value(definition.then)},
      {"every", nullptr},
      {"time_zone", nullptr},
      {"rows", RowsJson(prepared.rows, prepared.bytes)}};
  AddRoom(object, prepared.bytes);
  object["definition"] = definition.script;
  object["partitions"] = std::move(parts);
  object["refused_from"] = nullptr;
  object["remarks"] = state::ArrayOf(prepared.remarks);
  object["strategies"] = json::array();
  return object;
}

}  // namespace

std::string PartitionsOf(const partition::Definition& definition) {
  const auto& parts = definition.partitions;
  if (parts.size() == 1) return fmt::format("1 partition, {}", parts.front().relname);
  return fmt::format("{} partitions, {} to {}", parts.size(), parts.front().relname,
                     parts.back().relname);
}

void ShowAttach(const Context& context, const partition::Prepared& prepared, const Costs& costs) {
  const bool dry_run = context.Has("dry-run");
  if (context.output == Output::kJson) {
    if (dry_run) PrintJson(ToJson(prepared, costs));
  } else if (dry_run) {
    Print(InWords(costs) + Layout(prepared) + "nothing was written\n");
  } else {
    fmt::print(stderr, "{}{}", InWords(costs), Layout(prepared));
  }
}

void ShowCopy(const Context& context, const partition::Definition& definition,
              const rebuild::Prepared& prepared) {
  const bool dry_run = context.Has("dry-run");
  if (context.output == Output::kJson) {
    if (dry_run) PrintJson(ToJson(definition, prepared));
    return;
  }
  std::string text =
      fmt::format("{}, {}, {}: copied into {}; needs about as much disk again, and as much WAL\n",
                  prepared.table.name, AboutRows(prepared.rows, prepared.bytes),
                  watch::Format(static_cast<double>(prepared.bytes), watch::Unit::kBytes),
                  PartitionsOf(definition));
  for (const std::string& remark : prepared.remarks) text += "note: " + remark + "\n";
  if (dry_run) {
    Print(definition.script + text + "nothing was written\n");
  } else {
    fmt::print(stderr, "{}", text);
  }
}

}  // namespace pgalter::cli
