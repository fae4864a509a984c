#include <fmt/format.h>

#include "planner/plan/recipes/index.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::ast::CreateIndex;

std::string Named(const CreateIndex& create, const catalog::Schema& before,
                  const catalog::Schema& after) {
  if (!create.name.empty()) return create.name;
  const catalog::Table* table = after.FindTable(create.table);
  const catalog::Table* known = before.FindTable(create.table);
  if (table == nullptr) return "";
  for (const catalog::Index& index : table->indexes)
    if (known == nullptr || known->FindIndex(index.name.name) == nullptr) return index.name.name;
  return "";
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* create = situation.statement.As<CreateIndex>();
  if (create == nullptr || situation.schema.IsNew(create->table)) return std::nullopt;
  const catalog::Table* table = situation.schema.FindTable(create->table);
  const catalog::Schema after = [&] {
    catalog::Schema schema = situation.schema;
    schema.Apply(situation.statement);
    return schema;
  }();
  const std::string name = Named(*create, situation.schema, after);
  const auto text = IndexText::Read(situation.text);
  if (!text || name.empty()) return std::nullopt;
  Proposal proposal;
  if (table != nullptr && table->kind == catalog::TableKind::kPartitioned) {
    if (create->only) return std::nullopt;
    IndexPartitions(*text, {create->table, name}, situation.schema, after, proposal);
    return proposal;
  }
  if (create->concurrently) proposal.answer = Answer::kAsIs;
  proposal.steps.push_back(BuildIndex(text->Concurrently(create->table, name),
                                      Beside(create->table, name),
                                      "Readers and writers go on; two scans, and a wait for "
                                      "transactions that are older than it."));
  if (table == nullptr)
    proposal.remarks.push_back(fmt::format(
        "{} is not known: if it is partitioned, an index is built partition by partition",
        Show(create->table)));
  return proposal;
}

}  // namespace

const Recipe kCreateIndex{
    .name = "create-index",
    .forms = "CREATE INDEX on a table in use, partitioned or not",
    .steps =
        "CREATE INDEX CONCURRENTLY; on a partitioned table each partition's index, then the "
        "parent's with ON ONLY, to which they are attached",
    .propose = &Propose};

}  // namespace pgalter::plan
