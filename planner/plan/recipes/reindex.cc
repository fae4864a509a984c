#include <fmt/format.h>

#include "planner/plan/recipes/constraint.h"
#include "planner/plan/steps.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

using sql::ast::ReindexKind;

constexpr const char* kExclusions =
    "indexes of exclusion constraints are left as they are: they cannot be built concurrently";

// What is reindexed is said after the options; CONCURRENTLY follows it.
std::size_t KindWord(const sql::Words& words) {
  std::size_t at = 1;
  if (words.At(at) != "(") return at;
  while (at < words.size() && !(words.At(at) == ")" && words.Place(at).depth == 0)) ++at;
  return at + 1;
}

bool IsPartitioned(const catalog::Table* table) {
  return table != nullptr && table->kind == catalog::TableKind::kPartitioned;
}

// The partitions' parts of an index of their parent.
void AddParts(const catalog::Schema& schema, const sql::QualifiedName& table,
              const sql::QualifiedName& index, std::vector<sql::QualifiedName>& parts) {
  const sql::QualifiedName parent = schema.Resolve(index);
  for (const catalog::Table* partition : schema.Partitions(table)) {
    for (const catalog::Index& part : partition->indexes) {
      if (!part.parent || schema.Resolve(*part.parent) != parent) continue;
      const sql::QualifiedName name = Beside(partition->name, part.name.name);
      if (IsPartitioned(partition)) {
        AddParts(schema, partition->name, name, parts);
      } else {
        parts.push_back(name);
      }
    }
  }
}

// Tables or indexes of the leaves.
std::vector<sql::QualifiedName> Parts(const Situation& situation,
                                      const sql::ast::Reindex& reindex) {
  std::vector<sql::QualifiedName> parts;
  if (reindex.kind == ReindexKind::kTable) {
    for (const catalog::Table* leaf : Leaves(situation.schema, reindex.name))
      if (leaf->kind == catalog::TableKind::kTable) parts.push_back(leaf->name);
  } else if (const catalog::Table* table = situation.schema.TableOfIndex(reindex.name)) {
    AddParts(situation.schema, table->name, reindex.name, parts);
  }
  return parts;
}

// Of a partitioned table it would have every partition locked against writers at once, if for a
// moment only: behind one who writes for long all would wait.
std::optional<Proposal> ByPartition(const Situation& situation, const sql::ast::Reindex& reindex,
                                    const sql::Words& words, std::size_t kind) {
  const bool index = reindex.kind == ReindexKind::kIndex;
  const catalog::Table* table = index ? situation.schema.TableOfIndex(reindex.name)
                                      : situation.schema.FindTable(reindex.name);
  if (!IsPartitioned(table) || (!index && reindex.kind != ReindexKind::kTable)) return std::nullopt;
  Proposal proposal;
  for (const sql::QualifiedName& part : Parts(situation, reindex)) {
    Step step =
        Alone(Phase::kExpand, index ? StepKind::kConcurrentIndex : StepKind::kAutocommit,
              words.Replace(kind, words.size(),
                            fmt::format("{} CONCURRENTLY {}", words.At(kind), sql::ToString(part))),
              "A partition at a time: nobody waits.");
    if (index) step.index = part;
    proposal.steps.push_back(std::move(step));
  }
  if (proposal.steps.empty()) return std::nullopt;
  if (!index) proposal.remarks.emplace_back(kExclusions);
  return proposal;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* reindex = situation.statement.As<sql::ast::Reindex>();
  if (reindex == nullptr || reindex->kind == ReindexKind::kSystem) return std::nullopt;
  const auto words = sql::Words::Read(situation.text);
  if (!words) return std::nullopt;
  const std::size_t kind = KindWord(*words);
  if (kind >= words->size()) return std::nullopt;
  if (auto proposal = ByPartition(situation, *reindex, *words, kind)) return proposal;
  Proposal proposal;
  if (reindex->concurrently) proposal.answer = Answer::kAsIs;
  const std::string text =
      reindex->concurrently
          ? situation.text
          : words->Replace(kind, kind + 1, std::string(words->At(kind)) + " CONCURRENTLY");
  const bool one = reindex->kind == ReindexKind::kIndex &&
                   !IsPartitioned(situation.schema.TableOfIndex(reindex->name));
  Step step = Alone(Phase::kExpand, one ? StepKind::kConcurrentIndex : StepKind::kAutocommit, text,
                    "Each index is built anew beside the old one, which serves until then.");
  if (one) step.index = reindex->name;
  proposal.steps.push_back(std::move(step));
  if (!one) proposal.remarks.emplace_back(kExclusions);
  return proposal;
}

}  // namespace

const Recipe kReindex{
    .name = "reindex",
    .forms = "REINDEX of an index, table, schema or database",
    .steps = "REINDEX … CONCURRENTLY, of a partitioned table or index partition by partition",
    .propose = &Propose};

}  // namespace pgalter::plan
