#include <fmt/format.h>

#include "batcher/partition/overview.h"
#include "cli/connect.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/partition/verb.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

// null: not known.
boost::json::value RowsOf(const partition::Part& part) {
  if (!part.counted) return nullptr;
  return static_cast<std::int64_t>(part.rows);
}

std::string RowsText(const partition::Part& part) {
  if (part.divided) return "";
  return part.counted ? HumanCount(static_cast<std::int64_t>(part.rows)) : std::string("?");
}

boost::json::object ToJson(const partition::Overview& overview) {
  boost::json::array parts;
  for (const partition::Part& part : overview.parts)
    parts.push_back({{"name", part.name},
                     {"bound", part.bound},
                     {"times", part.times},
                     {"level", part.level},
                     {"default", part.is_default},
                     {"partitioned", part.divided},
                     {"rows", RowsOf(part)},
                     {"bytes", part.bytes}});
  boost::json::array remarks;
  for (const std::string& remark : overview.remarks) remarks.emplace_back(remark);
  return {{"version", 1},
          {"table", overview.table},
          {"by", overview.by},
          {"partitions", std::move(parts)},
          {"remarks", std::move(remarks)}};
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenSession(context);
  const partition::Overview overview =
      co_await partition::ReadOverview(session, context.Operand(1));
  if (context.output == Output::kJson) {
    PrintJson(ToJson(overview));
    co_return ExitCode::kDone;
  }
  Table table({"PARTITION", "BOUND", "ROWS", "SIZE"});
  for (const partition::Part& part : overview.parts) {
    const std::string indent(2 * static_cast<std::size_t>(part.level - 1), ' ');
    table.Add(
        {indent + part.name, part.times.empty() ? part.bound : part.bound + " = " + part.times,
         RowsText(part),
         part.divided ? "" : watch::Format(static_cast<double>(part.bytes), watch::Unit::kBytes)});
  }
  Print(fmt::format("{} by {}\n{}", overview.table, overview.by, table.Text()));
  for (const std::string& remark : overview.remarks) Print("note: " + remark + "\n");
  co_return ExitCode::kDone;
}

}  // namespace

extern const PartitionVerb kPartitionList;
const PartitionVerb kPartitionList{.name = "list", .operand = "TABLE", .options = "", .run = &Run};

}  // namespace pgalter::cli
