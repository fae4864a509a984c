#include <algorithm>

#include "planner/plan/steps.h"
#include "planner/sql/expression.h"
#include "planner/sql/set_clause.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

// Rows below which nobody notices one statement.
constexpr std::int64_t kFewRows = 10'000;

// Whether a row that was changed would be changed again: a chunk may meet it twice.
bool ReadsItsOwn(const std::vector<sql::Assignment>& assignments) {
  for (const sql::Assignment& assignment : assignments) {
    const auto facts = sql::ParseExpression(assignment.expression);
    if (!facts) return true;
    for (const sql::Assignment& other : assignments)
      for (const sql::ColumnUse& use : facts->columns)
        if (use.name == other.column || use.name.empty()) return true;
  }
  return false;
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
  if (!words || !words->Is(0, "update") || words->Find("returning") < words->size() ||
      words->Find("from") < words->size())
    return std::nullopt;
  const std::size_t after = words->AfterName(words->Is(1, "only") ? 2 : 1);
  if (!words->Is(after, "set")) return std::nullopt;
  const std::size_t where = words->Find("where", after);
  return Parts{words->Cut(after + 1, where), words->Cut(where + 1, words->size())};
}

// As "… AND note IS NULL": what users write once the value is set is theirs.
bool IsFalseOnceSet(const std::string& where) {
  const auto words = sql::Words::Read(where);
  if (!words) return false;
  for (std::size_t at = words->Find("is"); at < words->size(); at = words->Find("is", at + 1))
    if (words->Is(at + 1, "null")) return words->Find("or") == words->size();
  return false;
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
  if (ReadsItsOwn(*assignments))
    return OneStatement(situation,
                        "a value made from itself cannot be made twice, so no backfill "
                        "does it: write to a new column");
  Proposal proposal;
  proposal.steps.push_back(
      MakeBackfill(change->table, parts->set, parts->where,
                   "In chunks, each with its own transaction, at the pace that the server bears."));
  proposal.steps.back().point_of_no_return = true;
  proposal.remarks.emplace_back("rows change chunk by chunk, not all at one moment");
  if (!IsFalseOnceSet(parts->where))
    proposal.remarks.emplace_back(
        "a row that has its value already, and whose columns users write anew before the end, is "
        "set again: where they do, say in the WHERE which rows are to be set (… IS NULL), or "
        "change "
        "them with one statement (--as-written)");
  return proposal;
}

}  // namespace

const Recipe kUpdateRows{.name = "update-rows",
                         .forms = "UPDATE, DELETE, INSERT … SELECT of many rows",
                         .steps =
                             "an UPDATE of one table becomes a backfill in chunks; for the others "
                             "the plan says what one statement holds",
                         .propose = &Propose};

}  // namespace pgalter::plan
