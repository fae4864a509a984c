#include <fmt/format.h>

#include "planner/plan/steps.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

using sql::ast::ReindexKind;

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

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* reindex = situation.statement.As<sql::ast::Reindex>();
  if (reindex == nullptr || reindex->kind == ReindexKind::kSystem) return std::nullopt;
  const auto words = sql::Words::Read(situation.text);
  if (!words) return std::nullopt;
  const std::size_t kind = KindWord(*words);
  if (kind >= words->size()) return std::nullopt;
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
  if (!one)
    proposal.remarks.emplace_back(
        "indexes of exclusion constraints are left as they are: they cannot be built concurrently");
  return proposal;
}

}  // namespace

const Recipe kReindex{.name = "reindex",
                      .forms = "REINDEX of an index, table, schema or database",
                      .steps = "REINDEX … CONCURRENTLY",
                      .propose = &Propose};

}  // namespace pgalter::plan
