#include <fmt/format.h>

#include "cli/inspect/inventory.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/catalog/inventory.h"

namespace pgalter::cli {

namespace {

namespace json = boost::json;
using catalog::ConstraintFacts;

json::object ToJson(const ConstraintFacts& constraint) {
  return {{"name", constraint.name},           {"table", constraint.table},
          {"kind", constraint.kind},           {"definition", constraint.definition},
          {"validated", constraint.validated}, {"without_index", constraint.without_index}};
}

std::string Notes(const ConstraintFacts& constraint) {
  std::string text;
  const auto note = [&](const std::string& what) {
    text += Printable(fmt::format("note: {} on {}: {}", constraint.name, constraint.table, what)) +
            "\n";
  };
  if (!constraint.validated)
    note(
        fmt::format("is not validated, so old rows may break it: pgalter run --sql 'ALTER TABLE {} "
                    "VALIDATE CONSTRAINT {}'",
                    constraint.table, constraint.name));
  if (constraint.without_index)
    note(
        "no index begins with its columns: each DELETE and change of a key in the table that it "
        "refers to reads this one whole");
  return text;
}

}  // namespace

Task<ExitCode> InspectConstraints(const Context& context, guard::Session& session, pg::Oid table,
                                  int most) {
  const std::vector<ConstraintFacts> all = co_await catalog::ReadConstraints(session, table);
  if (context.output == Output::kJson) {
    json::array array;
    for (const ConstraintFacts& constraint : all) array.push_back(ToJson(constraint));
    PrintJson({{"version", 1}, {"constraints", std::move(array)}});
    co_return ExitCode::kDone;
  }
  Table text({"TABLE", "CONSTRAINT", "STATE", "DEFINITION"});
  std::string notes;
  for (const ConstraintFacts& constraint : all) {
    notes += Notes(constraint);
    if (text.rows() >= most) continue;
    text.Add({constraint.table, constraint.name, constraint.validated ? "" : "not valid",
              constraint.definition});
  }
  Print(text.Text() + MoreNote(all.size(), most) + notes);
  co_return ExitCode::kDone;
}

}  // namespace pgalter::cli
