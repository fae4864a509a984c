#include "batcher/partition/wide_index.h"

#include <fmt/format.h>

#include <utility>

#include "planner/sql/identifier.h"

namespace pgalter::partition {

std::string WideIndexName(int number, const std::string& end) {
  return fmt::format("pgalter_key{}_{}", number, end);
}

plan::Step BuildWideIndex(const WidenedKey& key, const std::string& table,
                          const std::string& home) {
  const std::string name = home + "." + key.build;
  plan::Step step;
  step.id = "key-" + key.index;
  step.kind = plan::StepKind::kConcurrentIndex;
  step.sql.push_back(fmt::format("CREATE UNIQUE INDEX CONCURRENTLY {} ON {} ({}){}", key.build,
                                 table, key.wide, StoredIndex(key)));
  step.undo.push_back(fmt::format("DROP INDEX CONCURRENTLY {}", name));
  step.transaction = step.undo_transaction = plan::Transaction::kNone;
  if (auto parsed = sql::ParseQualifiedName(name)) step.index = std::move(*parsed);
  return step;
}

}  // namespace pgalter::partition
