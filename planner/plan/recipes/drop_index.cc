#include <fmt/format.h>

#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* drop = situation.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kIndex) return std::nullopt;
  Proposal proposal;
  if (drop->concurrently) proposal.answer = Answer::kAsIs;
  for (const sql::QualifiedName& index : drop->names) {
    const catalog::Table* table = situation.schema.TableOfIndex(index);
    const std::string name = sql::ToString(index);
    const char* if_exists = drop->if_exists ? "IF EXISTS " : "";
    // The server takes neither concurrently.
    if (drop->cascade || (table != nullptr && table->kind == catalog::TableKind::kPartitioned)) {
      proposal.steps.push_back(
          Ddl(Phase::kContract,
              {fmt::format("DROP INDEX {}{}{}", if_exists, name, drop->cascade ? " CASCADE" : "")},
              {}, "It cannot be dropped concurrently: a short lock on the table."));
      proposal.steps.back().point_of_no_return = true;
    } else {
      Step step = Alone(Phase::kContract, StepKind::kDropIndex,
                        fmt::format("DROP INDEX CONCURRENTLY {}{}", if_exists, name),
                        "Waits for transactions that may use it; nobody waits for it. A run keeps "
                        "its definition, and builds it anew when it is taken back.");
      step.index = index;
      proposal.steps.push_back(std::move(step));
    }
  }
  return proposal;
}

}  // namespace

const Recipe kDropIndex{.name = "drop-index",
                        .forms = "DROP INDEX of one or more indexes",
                        .steps =
                            "DROP INDEX CONCURRENTLY, one by one; of a partitioned table, "
                            "or with CASCADE, plainly",
                        .propose = &Propose};

}  // namespace pgalter::plan
