#include <fmt/format.h>

#include "cli/human.h"
#include "cli/inspect/inventory.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/catalog/inventory.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

namespace json = boost::json;
using catalog::IndexFacts;

json::object ToJson(const IndexFacts& index) {
  const auto name = [](const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
  };
  return {{"name", index.name},
          {"table", index.table},
          {"definition", index.definition},
          {"bytes", index.bytes},
          {"valid", index.valid},
          {"unique", index.unique},
          {"constraint", name(index.constraint)},
          {"scans", index.scans},
          {"covered_by", name(index.covered_by)},
          {"needed", index.needed}};
}

std::string State(const IndexFacts& index) {
  if (!index.valid) return "invalid";
  if (!index.constraint.empty()) return "key";
  return index.unique ? "unique" : "";
}

std::string Notes(const IndexFacts& index, const std::string& since) {
  const auto note = [&](const std::string& what) {
    return Printable(fmt::format("note: {}: {}", index.name, what)) + "\n";
  };
  const std::string drop = fmt::format("pgalter run --sql 'DROP INDEX {}'", index.name);
  if (!index.valid)
    return note(
        fmt::format("is not valid: a build of it has failed or is at work; it slows writes "
                    "down and helps nobody: pgalter run --sql 'REINDEX INDEX {}'",
                    index.name));
  if (index.needed) return "";
  if (!index.covered_by.empty())
    return note(fmt::format("{} serves the same queries: {}", index.covered_by, drop));
  if (index.scans == 0 && !index.unique && index.bytes > 0)
    return note(
        fmt::format("nobody has used it on this server{} (each standby counts for itself): "
                    "{}",
                    since.empty() ? "" : " since " + since, drop));
  return "";
}

}  // namespace

Task<ExitCode> InspectIndexes(const Context& context, guard::Session& session, pg::Oid table,
                              int most) {
  const std::vector<IndexFacts> indexes = co_await catalog::ReadIndexes(session, table);
  const std::string since = co_await catalog::CountedSince(session);
  if (context.output == Output::kJson) {
    json::array array;
    for (const IndexFacts& index : indexes) array.push_back(ToJson(index));
    PrintJson({{"version", 1},
               {"counted_since", since.empty() ? json::value(nullptr) : json::value(since)},
               {"indexes", std::move(array)}});
    co_return ExitCode::kDone;
  }
  Table text({"INDEX", "TABLE", "SIZE", "SCANS", "STATE"});
  std::string notes;
  for (const IndexFacts& index : indexes) {
    notes += Notes(index, since);
    if (text.rows() >= most) continue;
    text.Add({index.name, index.table,
              watch::Format(static_cast<double>(index.bytes), watch::Unit::kBytes),
              HumanCount(index.scans), State(index)});
  }
  Print(text.Text() + MoreNote(indexes.size(), most) + notes);
  co_return ExitCode::kDone;
}

}  // namespace pgalter::cli
