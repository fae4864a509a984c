#include "cli/lint/known_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "cli/connect.h"
#include "cli/lint/table_sizes.h"
#include "cli/rejected.h"
#include "engine/catalog/read_schema.h"
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

Task<KnownSchema> ReadKnownSchema(const Context& context, const LintSettings& settings) {
  KnownSchema known;
  if (settings.connect) {
    guard::Session session = co_await OpenSession(context);
    const int major = session.db().server_version() / 10000;
    if (major < kOldestJudged)
      throw Rejected(ExitCode::kUnsupported,
                     fmt::format("the server is PostgreSQL {}; what statements do is known for {} "
                                 "to {}",
                                 major, kOldestJudged, kNewestJudged),
                     "give a dump with --schema, and --server-version");
    known.server_version = std::min(major, kNewestJudged);
    known.schema = co_await live::ReadSchema(session);
  }
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
  co_return known;
}

}  // namespace pgalter::cli
