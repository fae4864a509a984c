#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

constexpr int kAffected = 14;

bool BuildsConcurrently(const sql::ast::Statement& statement) {
  if (const auto* index = statement.As<sql::ast::CreateIndex>()) return index->concurrently;
  const auto* reindex = statement.As<sql::ast::Reindex>();
  return reindex != nullptr && reindex->concurrently;
}

void Check(const Context& context, const Reporter& report) {
  if (context.options.server_version != kAffected || !BuildsConcurrently(context.statement)) return;
  Say(report, "on 14.0 to 14.3 this index may miss rows");
}

}  // namespace

constinit const Rule kConcurrentIndexCorruption{
    .id = "concurrent-index-corruption",
    .title = "Concurrent index build on an early 14",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "PostgreSQL 14.0 to 14.3: an index built CONCURRENTLY may miss rows that were updated "
        "meanwhile.",
    .remedy =
        "Update to 14.4 or later first; check with bt_index_check (heapallindexed) what was built "
        "before.",
    .check = &Check};

}  // namespace pgalter::lint
