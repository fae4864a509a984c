#include "cli/lint/known_schema.h"

#include <fmt/format.h>

#include <stdexcept>

#include "cli/lint/table_sizes.h"
#include "cli/rejected.h"
#include "migrations/formats/folder.h"
#include "planner/sql/script.h"

namespace pgalter::cli {

namespace {

std::string ReadNamed(const std::string& option, const std::string& file) {
  try {
    return formats::ReadWhole(file);
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kUsage,
                   fmt::format("{}: cannot read {}: {}", option, file, error.what()), "");
  }
}

}  // namespace

int ApplyDump(std::string_view text, catalog::Schema& schema) {
  int unread = 0;
  for (const sql::Piece& piece : sql::SplitScript(text)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    const auto statement = sql::ast::ReadStatement(piece.sql);
    if (statement) {
      schema.Apply(*statement);
    } else {
      ++unread;
    }
  }
  // pg_dump empties the search path for itself.
  schema.BeginSession();
  return unread;
}

KnownSchema ReadKnownSchema(const LintSettings& settings) {
  KnownSchema known;
  if (!settings.schema.empty()) {
    const int unread = ApplyDump(ReadNamed("--schema", settings.schema), known.schema);
    if (unread == 0) {
      known.schema.SetComplete();
    } else {
      known.remarks.push_back(fmt::format("{}: {} statement{} not read; what they make is unknown",
                                          settings.schema, unread,
                                          unread == 1 ? " was" : "s were"));
    }
  }
  if (!settings.table_sizes.empty()) {
    const std::string text = ReadNamed("--table-sizes", settings.table_sizes);
    for (const TableSize& size : ParseTableSizes(settings.table_sizes, text))
      known.schema.SetSize(size.table, size.rows, size.bytes);
  }
  return known;
}

}  // namespace pgalter::cli
