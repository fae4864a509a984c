#include "planner/sql/newer/rewriting.h"

namespace pgalter::sql::newer {
namespace {

// GENERATED ALWAYS AS (…) VIRTUAL, and without a last word: read as a default.
void VirtualColumn(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"generated", "always", "as", "("})) return;
  const std::size_t close = text.Partner(at + 3);
  if (close >= text.size() || text.Is(close + 1, "stored")) return;
  text.Found(18, "a virtual generated column");
  text.Replace(at, at + 3, "DEFAULT");
  if (text.Is(close + 1, "virtual")) text.Blank(close + 1, close + 2);
  text.Mark(text.StartOfConstraint(at), ast::Mark::kVirtual);
}

// STORAGE beside a column's type.
void ColumnStorage(Rewriting& text, std::size_t at) {
  if (!text.Is(at, "storage") || at < 2) return;
  if (!text.IsAny(at + 1, {"plain", "external", "extended", "main", "default"})) return;
  if (text.IsAny(at - 1, {"(", ",", "set", "column", "add", "exists", "."})) return;
  text.Found(16, "STORAGE in a column's definition");
  text.Blank(at, at + 2);
}

// ALTER COLUMN c SET EXPRESSION AS (…): read as its default.
void SetExpression(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"set", "expression", "as", "("})) return;
  text.Found(17, "SET EXPRESSION");
  text.Replace(at + 1, at + 3, "DEFAULT");
  text.AfterwardsInCommand(
      at, [](ast::TableCommand& command) { command.change = ast::TableChange::kSetExpression; });
}

void SetStatisticsDefault(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"set", "statistics", "default"})) return;
  text.Found(17, "SET STATISTICS DEFAULT");
  text.Replace(at + 2, at + 3, "-1");
}

void SetAccessMethodDefault(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"set", "access", "method", "default"})) return;
  text.Found(17, "SET ACCESS METHOD DEFAULT");
  text.Replace(at + 3, at + 4, "heap");
  text.AfterwardsInCommand(at, [](ast::TableCommand& command) { command.name.clear(); });
}

// Read as DETACH PARTITION, which names a partition as well.
void AsDetach(Rewriting& text, std::size_t at, std::size_t name, std::size_t end,
              ast::TableChange change) {
  text.Replace(at, text.EndOfPart(at), "DETACH PARTITION " + std::string(text.Text(name, end)));
  text.AfterwardsInCommand(at, [change](ast::TableCommand& command) { command.change = change; });
}

void SplitPartition(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"split", "partition"}) || !text.Are(0, {"alter", "table"})) return;
  std::size_t into = at + 3;
  while (into < text.size() && into - at < kReach && !text.Is(into, "into")) ++into;
  if (!text.Is(into + 1, "(")) return;
  text.Found(19, "SPLIT PARTITION");
  AsDetach(text, at, at + 2, into, ast::TableChange::kSplitPartition);
}

void MergePartitions(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"merge", "partitions", "("}) || !text.Are(0, {"alter", "table"})) return;
  const std::size_t into = text.Partner(at + 2) + 1;
  if (!text.Is(into, "into")) return;
  text.Found(19, "MERGE PARTITIONS");
  AsDetach(text, at, into + 1, text.EndOfPart(into), ast::TableChange::kMergePartitions);
}

}  // namespace

std::vector<Form> TableForms() {
  return {VirtualColumn,          ColumnStorage,  SetExpression,  SetStatisticsDefault,
          SetAccessMethodDefault, SplitPartition, MergePartitions};
}

}  // namespace pgalter::sql::newer
