#include <algorithm>

#include "planner/plan/steps.h"
#include "planner/sql/expression.h"
#include "planner/sql/identifier.h"
#include "planner/sql/set_clause.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

// Rows below which nobody notices one statement.
constexpr std::int64_t kFewRows = 10'000;

// What a chunk reads beside its rows is another moment's, and a trigger cannot ask it.
bool AsksMore(const std::vector<sql::Assignment>& assignments) {
  return std::ranges::any_of(assignments, [](const sql::Assignment& assignment) {
    const auto facts = sql::ParseExpression(assignment.expression);
    return !facts || facts->has_subquery;
  });
}

// A column of which no two rows have the same value: chunk by chunk, and in the trigger for users,
// a new value meets old ones that the whole statement would have changed. Empty: there is none.
std::string SetsUnique(const std::vector<sql::Assignment>& assignments,
                       const catalog::Table* table) {
  if (table == nullptr) return "";
  for (const sql::Assignment& assignment : assignments)
    if (std::ranges::any_of(table->indexes, [&](const catalog::Index& index) {
          return index.unique && index.Mentions(assignment.column);
        }))
      return assignment.column;
  return "";
}

// By its key, one row or a few.
bool ByKey(const sql::ast::Modify& update, const catalog::Table* table) {
  if (!update.where || table == nullptr) return false;
  return std::ranges::any_of(update.where->comparisons, [&](const auto& comparison) {
    return comparison.op == "=" &&
           std::ranges::any_of(table->indexes, [&](const catalog::Index& index) {
             return index.unique && index.columns.size() == 1 &&
                    index.columns.front().column == comparison.column;
           });
  });
}

// The SET clause and the condition, where a backfill can say them: one table, no alias, no more.
struct Parts {
  std::string set;
  std::string where;
};

std::optional<Parts> Read(const std::string& text) {
  const auto words = sql::Words::Read(text);
  if (!words || !words->Is(0, "update") || words->Is(1, "only") ||
      words->Find("returning") < words->size() || words->Find("from") < words->size())
    return std::nullopt;
  const std::size_t after = words->AfterName(1);
  if (!words->Is(after, "set")) return std::nullopt;
  const std::size_t where = words->Find("where", after);
  return Parts{words->Cut(after + 1, where), words->Cut(where + 1, words->size())};
}

Proposal OneStatement(const Situation& situation, const std::string& why) {
  Proposal proposal;
  proposal.answer = Answer::kLeastBad;
  proposal.remarks.push_back("as one statement it holds every row that it changes until its end: " +
                             why);
  proposal.steps.push_back(Ddl(Phase::kMigrate, {situation.text}, {}, ""));
  proposal.steps.back().point_of_no_return = true;
  return proposal;
}

std::optional<Proposal> Propose(const Situation& situation) {
  using Verb = sql::ast::Modify::Verb;
  const auto* change = situation.statement.As<sql::ast::Modify>();
  if (change == nullptr || situation.FindWork(locks::Reason::kRows) == nullptr ||
      situation.schema.IsNew(change->table))
    return std::nullopt;
  const catalog::Table* table = situation.schema.FindTable(change->table);
  const bool few = table != nullptr && table->rows.value_or(kFewRows) < kFewRows;
  if (few || ByKey(*change, table)) return std::nullopt;
  if (change->verb != Verb::kUpdate)
    return OneStatement(situation, "delete or insert in parts that are committed one by one");
  const auto parts = Read(situation.text);
  const auto assignments =
      parts ? sql::ParseSetClause(parts->set) : sql::Result<std::vector<sql::Assignment>>();
  if (!parts || !assignments || change->where_has_subquery || !change->within.empty())
    return OneStatement(situation, "a backfill takes plain assignments and a condition on the row");
  if (AsksMore(*assignments))
    return OneStatement(situation, "a backfill takes values that are made of the row alone");
  const std::string unique = SetsUnique(*assignments, table);
  if (!unique.empty())
    return OneStatement(situation,
                        "in chunks a value of " + sql::QuoteIdentifier(unique) +
                            ", which is unique, would meet those of rows that are not changed yet");
  Proposal proposal;
  Step step = MakeBackfill(
      change->table, parts->set, parts->where,
      "In chunks, each with its own transaction, at the pace that the server bears; each row once. "
      "A trigger sees to the rows that users change before a chunk comes to them.");
  step.backfill->sync = Backfill::Sync::kOnce;
  step.point_of_no_return = true;
  proposal.steps.push_back(std::move(step));
  proposal.remarks.emplace_back(
      "rows change chunk by chunk, not all at one moment; for each it is as if the UPDATE came "
      "once, "
      "in between what users write to it. What they write afterwards stays, and rows that they "
      "insert from its beginning on are left alone");
  proposal.remarks.emplace_back(
      "who changes a row that no chunk has come to yet gets the UPDATE along with his change, by a "
      "trigger that is made at the beginning and goes at the end: where its value cannot be made "
      "or "
      "stored, that write fails. It stands behind the table's own BEFORE triggers");
  return proposal;
}

}  // namespace

const Recipe kUpdateRows{.name = "update-rows",
                         .forms = "UPDATE, DELETE, INSERT … SELECT of many rows",
                         .steps =
                             "an UPDATE of one table becomes a backfill in chunks that changes "
                             "each row once; for the others the plan says what one statement holds",
                         .propose = &Propose};

}  // namespace pgalter::plan
