#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/locks/draft.h"

namespace pgalter::locks {
namespace {

using catalog::Truth;

constexpr std::string_view kVolatile[] = {
#include "planner/locks/facts/volatile_functions.def"
};
constexpr std::string_view kOther[] = {
#include "planner/locks/facts/other_functions.def"
};
static_assert(std::ranges::is_sorted(kVolatile));
constexpr std::string_view kStable[] = {
#include "planner/locks/facts/stable_functions.def"
};
static_assert(std::ranges::is_sorted(kOther));
static_assert(std::ranges::is_sorted(kStable));

// A function that nobody made in the files: the server's, or an extension's where those are put.
Truth JudgeKnown(const std::vector<std::string>& name) {
  const bool may_be = name.size() == 1 || name.front() == "pg_catalog" ||
                      name.front() == "public" || name.front() == "extensions";
  if (!may_be) return Truth::kUnknown;
  const std::string_view called = name.back();
  if (std::ranges::binary_search(kVolatile, called)) return Truth::kYes;
  return std::ranges::binary_search(kOther, called) ? Truth::kNo : Truth::kUnknown;
}

using Seen = std::vector<const catalog::Function*>;

Truth Judge(const FunctionUse& use, const catalog::Schema& schema, Seen& seen);

// The server puts the body of a plain SQL function in the place of its call, and then looks only
// at that; what keeps it from doing so is more than can be seen here.
Truth JudgeBody(const catalog::Function& function, const catalog::Schema& schema, Seen& seen) {
  if (function.language != "sql" || function.arguments != 0) return Truth::kYes;
  // Bodies that call one another have no end.
  if (std::ranges::find(seen, &function) != seen.end()) return Truth::kYes;
  seen.push_back(&function);
  const auto body = ast::ReadStatement(function.body);
  const auto* select = body.has_value() ? body->As<ast::Select>() : nullptr;
  if (select == nullptr || !select->reads.empty() || !select->within.empty()) return Truth::kYes;
  const auto is_volatile = [&](const FunctionUse& use) {
    return Judge(use, schema, seen) == Truth::kYes;
  };
  return std::ranges::any_of(select->functions, is_volatile) ? Truth::kYes : Truth::kUnknown;
}

Truth Judge(const FunctionUse& use, const catalog::Schema& schema, Seen& seen) {
  if (use.name.empty()) return Truth::kUnknown;
  const bool server_first = use.name.size() == 1 || use.name.front() == "pg_catalog";
  if (server_first)
    if (const Truth known = JudgeKnown(use.name); known != Truth::kUnknown) return known;
  const catalog::Function* function = schema.FindFunction(use.name, use.arguments);
  if (function == nullptr) return JudgeKnown(use.name);
  if (function->volatility != ast::Volatility::kVolatile) return Truth::kNo;
  return JudgeBody(*function, schema, seen);
}

bool IsOneOf(const std::string& name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool IsText(const std::string& type) {
  return IsOneOf(type, {"text", "varchar", "bpchar", "citext"});
}

bool IsOfTime(const std::string& type) {
  return IsOneOf(type, {"date", "time", "timetz", "timestamp", "timestamptz"});
}

// By way of the session's time zone or date style. `from` is empty for text out of JSON.
bool DependsOnSession(const std::string& from, const std::string& to) {
  if (from.empty() || IsText(from)) return IsOfTime(to) || to == "interval";
  if (!IsOfTime(from)) return false;
  if (IsText(to)) return from == "date" || from == "timestamp" || from == "timestamptz";
  const bool has_zone = from == "timestamptz";
  return has_zone != (to == "timestamptz") && IsOfTime(to) && from != "time" && from != "timetz";
}

// A function that nobody knows, or of which some overload would do, is passed over.
bool IsSurelyNotImmutable(const FunctionUse& use, const catalog::Schema& schema) {
  if (use.name.empty()) return false;
  const std::string& called = use.name.back();
  const bool server_first = use.name.size() == 1 || use.name.front() == "pg_catalog";
  if (server_first && std::ranges::binary_search(kStable, std::string_view(called))) return true;
  if (server_first && called == "to_tsvector") return use.arguments == 1;
  if (server_first && JudgeKnown(use.name) == Truth::kYes) return true;
  const catalog::Function* function = schema.FindFunction(use.name, use.arguments);
  // A function in SQL is looked at as it is written out.
  return function != nullptr && function->language != "sql" &&
         function->volatility != ast::Volatility::kImmutable;
}

}  // namespace

std::optional<std::string> WhyNotImmutable(const sql::ast::Expression& expression,
                                           const std::vector<catalog::Column>& columns,
                                           const catalog::Schema& schema) {
  for (const FunctionUse& use : expression.facts.functions)
    if (IsSurelyNotImmutable(use, schema)) return use.name.back() + " is not immutable";
  for (const ast::ColumnCast& cast : expression.column_casts) {
    if (cast.type.array_dimensions > 0) continue;
    const auto column = std::ranges::find(columns, cast.column, &catalog::Column::name);
    const bool known = column != columns.end() && column->known;
    if (!cast.column.empty() && (!known || column->type.array_dimensions > 0)) continue;
    const std::string from = cast.column.empty() ? "" : column->type.name;
    if (!DependsOnSession(from, cast.type.name)) continue;
    const std::string what = cast.column.empty() ? "text out of JSON" : cast.column;
    return what + " becomes " + ToString(cast.type) +
           " by the session's time zone or date style, which is not immutable";
  }
  return std::nullopt;
}

VolatilityVerdict JudgeVolatility(const sql::ast::Expression& expression,
                                  const catalog::Schema& schema) {
  VolatilityVerdict verdict;
  for (const FunctionUse& use : expression.facts.functions) {
    Seen seen;
    const Truth one = Judge(use, schema, seen);
    if (one == Truth::kNo || (one == Truth::kUnknown && verdict.is_volatile == Truth::kUnknown))
      continue;
    verdict = {one, use.name.back()};
    if (one == Truth::kYes) break;
  }
  return verdict;
}

}  // namespace pgalter::locks
