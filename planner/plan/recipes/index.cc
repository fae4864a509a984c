#include "planner/plan/recipes/index.h"

#include <fmt/format.h>

#include "planner/plan/steps.h"

namespace pgalter::plan {

using sql::QuoteIdentifier;

std::optional<IndexText> IndexText::Read(const std::string& statement) {
  const auto words = sql::Words::Read(statement);
  if (!words) return std::nullopt;
  const std::size_t index = words->Find("index");
  const std::size_t on = words->Find("on", index);
  if (on >= words->size()) return std::nullopt;
  IndexText text;
  text.create_ = words->Cut(0, index + 1);
  text.unless_there_ = words->Find("if", index) < on;
  const std::size_t table = words->Is(on + 1, "only") ? on + 2 : on + 1;
  text.definition_ = words->Cut(words->AfterName(table), words->size());
  return text;
}

std::string IndexText::Concurrently(const sql::QualifiedName& table,
                                    const std::string& name) const {
  return fmt::format("{} CONCURRENTLY {}{} ON {} {}", create_,
                     unless_there_ ? "IF NOT EXISTS " : "", QuoteIdentifier(name),
                     sql::ToString(table), definition_);
}

std::string IndexText::OnOnly(const sql::QualifiedName& table, const std::string& name) const {
  return fmt::format("{} {}{} ON ONLY {} {}", create_, unless_there_ ? "IF NOT EXISTS " : "",
                     QuoteIdentifier(name), sql::ToString(table), definition_);
}

namespace {

// The index of this partition that belongs to the parent's.
const catalog::Index* PartOf(const catalog::Table& partition, const sql::QualifiedName& parent,
                             const catalog::Schema& after) {
  const catalog::Table* table = after.FindTable(partition.name);
  if (table == nullptr) return nullptr;
  for (const catalog::Index& index : table->indexes)
    if (index.parent && after.Resolve(*index.parent) == after.Resolve(parent)) return &index;
  return nullptr;
}

class Walk {
 public:
  Walk(const IndexText& text, const catalog::Schema& before, const catalog::Schema& after,
       Proposal& proposal)
      : text_(text), before_(before), after_(after), proposal_(proposal) {}

  void Leaves(const IndexPlace& at) {
    for (const auto& [partition, index] : Below(at)) {
      if (before_.FindIndex(index) != nullptr) continue;  // one that fits is taken
      if (partition->kind == catalog::TableKind::kPartitioned) {
        Leaves({partition->name, index.name});
      } else {
        proposal_.steps.push_back(
            BuildIndex(text_.Concurrently(partition->name, index.name), index,
                       "The partition's own index, while it is read and written."));
      }
    }
  }

  void Parents(const IndexPlace& at) {
    const sql::QualifiedName own = Beside(at.table, at.name);
    const auto below = Below(at);
    for (const auto& [partition, index] : below)
      if (partition->kind == catalog::TableKind::kPartitioned &&
          before_.FindIndex(index) == nullptr)
        Parents({partition->name, index.name});
    Texts sql = {text_.OnOnly(at.table, at.name)};
    for (const auto& [partition, index] : below)
      sql.push_back(fmt::format("ALTER INDEX {} ATTACH PARTITION {}", sql::ToString(own),
                                sql::ToString(index)));
    proposal_.steps.push_back(Ddl(Phase::kExpand, std::move(sql),
                                  {fmt::format("DROP INDEX IF EXISTS {}", sql::ToString(own))},
                                  "The parent's index, of what its partitions have: no row is "
                                  "read."));
  }

 private:
  std::vector<std::pair<const catalog::Table*, sql::QualifiedName>> Below(const IndexPlace& at) {
    std::vector<std::pair<const catalog::Table*, sql::QualifiedName>> below;
    const sql::QualifiedName own = Beside(before_.Resolve(at.table), at.name);
    for (const catalog::Table* partition : before_.Partitions(at.table)) {
      if (const catalog::Index* index = PartOf(*partition, own, after_))
        below.emplace_back(partition, index->name);
    }
    return below;
  }

  const IndexText& text_;
  const catalog::Schema& before_;
  const catalog::Schema& after_;
  Proposal& proposal_;
};

}  // namespace

void IndexPartitions(const IndexText& text, const IndexPlace& root, const catalog::Schema& before,
                     const catalog::Schema& after, Proposal& proposal) {
  Walk walk(text, before, after, proposal);
  walk.Leaves(root);
  walk.Parents(root);
}

}  // namespace pgalter::plan
