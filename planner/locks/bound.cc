#include "planner/locks/bound.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "planner/locks/condition.h"
#include "planner/locks/list_condition.h"
#include "planner/sql/identifier.h"

namespace pgalter::locks {
namespace {

using ast::Comparison;
using ast::ConstraintKind;
using catalog::Truth;

// What the valid CHECKs of a table say together.
struct Known {
  std::vector<std::string> not_null;
  std::vector<Comparison> comparisons;
  bool more = false;  // something that was not understood, such as IN or OR
};

Known Collect(const catalog::Table& table) {
  Known known;
  for (const catalog::Constraint& constraint : table.constraints) {
    if (constraint.definition.kind != ConstraintKind::kCheck || !constraint.valid) continue;
    if (!constraint.definition.expression) continue;
    const ast::Expression& check = *constraint.definition.expression;
    known.not_null.insert(known.not_null.end(), check.not_null_columns.begin(),
                          check.not_null_columns.end());
    known.comparisons.insert(known.comparisons.end(), check.comparisons.begin(),
                             check.comparisons.end());
    if (check.not_null_columns.empty() && check.comparisons.empty()) known.more = true;
  }
  for (const catalog::Column& column : table.columns)
    if (column.not_null || column.identity) known.not_null.push_back(column.name);
  return known;
}

std::optional<long long> Integer(const std::string& literal) {
  long long value = 0;
  const char* end = literal.data() + literal.size();
  const auto [stop, error] = std::from_chars(literal.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

bool Above(const Known& known, const std::string& column, const std::string& limit) {
  return std::ranges::any_of(known.comparisons, [&](const Comparison& item) {
    return item.column == column && (item.op == ">=" || item.op == ">" || item.op == "=") &&
           AtLeast(item.literal, limit);
  });
}

bool Below(const Known& known, const std::string& column, const std::string& limit) {
  return std::ranges::any_of(known.comparisons, [&](const Comparison& item) {
    if (item.column != column) return false;
    if (item.op == "<") return AtLeast(limit, item.literal);
    if (item.op != "<=" && item.op != "=") return false;
    return item.literal != limit && AtLeast(limit, item.literal);
  });
}

bool IsOpen(const std::string& end) { return end == "MINVALUE" || end == "MAXVALUE"; }

// By a DO block or a migration tool, from what is not known.
bool IsPutTogether(const std::string& literal) {
  return literal.find("__computed") != std::string::npos || literal.find('$') != std::string::npos;
}

bool InRange(const Known& known, const std::string& column, const ast::PartitionBound& bound) {
  if (bound.from.size() != 1 || bound.to.size() != 1) return false;
  if (std::ranges::find(known.not_null, column) == known.not_null.end()) return false;
  return (IsOpen(bound.from[0]) || Above(known, column, bound.from[0])) &&
         (IsOpen(bound.to[0]) || Below(known, column, bound.to[0]));
}

// As it was written: conditions with OR are not taken apart here.
bool HasCheck(const catalog::Table& table, const std::string& text) {
  return std::ranges::any_of(table.constraints, [&](const catalog::Constraint& constraint) {
    const ast::Constraint& definition = constraint.definition;
    return definition.kind == ConstraintKind::kCheck && constraint.valid && definition.expression &&
           definition.expression->text == text;
  });
}

bool InList(const Known& known, const catalog::Table& table, const std::string& column,
            const ast::PartitionBound& bound) {
  if (HasNull(bound.values))
    return HasCheck(table, ListConditionOf(sql::QuoteIdentifier(column), bound.values).inside);
  if (std::ranges::find(known.not_null, column) == known.not_null.end()) return false;
  const Range range{column, "", "", bound.values};
  return std::ranges::any_of(table.constraints, [&](const catalog::Constraint& constraint) {
    const ast::Constraint& definition = constraint.definition;
    return definition.kind == ConstraintKind::kCheck && constraint.valid && definition.expression &&
           StaysWithin(definition.expression->text, range);
  });
}

// A literal with its quotes or without.
std::string_view Bare(std::string_view literal) {
  const bool quoted = literal.size() > 1 && literal.front() == '\'' && literal.back() == '\'';
  return quoted ? literal.substr(1, literal.size() - 2) : literal;
}

// Of several columns, or of an expression, nothing is worked out here. `pgalter partition` asks the
// server what such a bound holds, and makes a CHECK of its words under a name of its own: that is
// known by the name, and by the values of the bound.
bool IsSaidByServer(const catalog::Table& table, std::string_view name,
                    const ast::PartitionBound& bound) {
  return std::ranges::any_of(table.constraints, [&](const catalog::Constraint& constraint) {
    const ast::Constraint& definition = constraint.definition;
    if (definition.kind != ConstraintKind::kCheck || !constraint.valid || !definition.expression ||
        constraint.name != name)
      return false;
    const std::string& text = definition.expression->text;
    const auto has = [&text](const std::string& value) {
      return IsOpen(value) || text.find(Bare(value)) != std::string::npos;
    };
    return std::ranges::all_of(bound.from, has) && std::ranges::all_of(bound.to, has) &&
           std::ranges::all_of(bound.values, has);
  });
}

const std::string* OnlyKey(const catalog::Table& parent) {
  if (!parent.partition_by || parent.partition_by->columns.size() != 1) return nullptr;
  const std::string& column = parent.partition_by->columns[0];
  return column.empty() ? nullptr : &column;
}

}  // namespace

catalog::Truth ProvesInside(const catalog::Table& table, const catalog::Table& parent,
                            const ast::PartitionBound& bound) {
  // A first default partition takes whatever there is.
  if (bound.is_default) return Truth::kNo;
  const Known known = Collect(table);
  // Over several columns nothing is worked out here; but where nothing is said, nothing is proven.
  const bool several = parent.partition_by && parent.partition_by->columns.size() > 1;
  const bool open =
      std::ranges::all_of(bound.from, IsOpen) && std::ranges::all_of(bound.to, IsOpen);
  const bool unclear = several && (!known.comparisons.empty() || open);
  const Truth otherwise = !table.complete || known.more || unclear ? Truth::kUnknown : Truth::kNo;
  const std::string* column = OnlyKey(parent);
  if (column == nullptr && IsSaidByServer(table, "pgalter_bound", bound)) return Truth::kYes;
  if (column == nullptr) return otherwise;
  const bool inside =
      bound.values.empty() ? InRange(known, *column, bound) : InList(known, table, *column, bound);
  if (inside) return Truth::kYes;
  if (otherwise == Truth::kUnknown) return otherwise;
  // Dates and the like: the server compares what is only text here.
  const bool said = std::ranges::any_of(known.comparisons, [&](const Comparison& item) {
    return item.column == *column && !Integer(item.literal);
  });
  return said ? Truth::kUnknown : Truth::kNo;
}

bool ProvesOutside(const catalog::Table& by_default, const catalog::Table& parent,
                   const ast::PartitionBound& bound) {
  const std::string* column = OnlyKey(parent);
  if (column == nullptr) return IsSaidByServer(by_default, "pgalter_outside", bound);
  if (HasNull(bound.values))
    return HasCheck(by_default,
                    ListConditionOf(sql::QuoteIdentifier(*column), bound.values).outside);
  Range range{*column, "", "", bound.values};
  if (bound.values.empty()) {
    if (bound.from.size() != 1 || bound.to.size() != 1) return false;
    if (!IsOpen(bound.from[0])) range.from = bound.from[0];
    if (!IsOpen(bound.to[0])) range.to = bound.to[0];
  }
  return std::ranges::any_of(by_default.constraints, [&](const catalog::Constraint& constraint) {
    const ast::Constraint& definition = constraint.definition;
    return definition.kind == ConstraintKind::kCheck && constraint.valid && definition.expression &&
           KeepsOut(definition.expression->text, range);
  });
}

bool Overlap(const ast::PartitionBound& one, const ast::PartitionBound& other) {
  if (one.is_default || other.is_default) return one.is_default && other.is_default;
  if (one.modulus > 0) return one.modulus == other.modulus && one.remainder == other.remainder;
  if (!one.values.empty())
    return std::ranges::any_of(one.values, [&](const std::string& value) {
      return !IsPutTogether(value) && std::ranges::find(other.values, value) != other.values.end();
    });
  const auto single = [](const ast::PartitionBound& bound) {
    return bound.from.size() == 1 && bound.to.size() == 1;
  };
  if (!single(one) || !single(other)) return false;
  const auto below = [](const std::string& from, const std::string& to) {
    return IsOpen(from) || IsOpen(to) || (from != to && AtLeast(to, from));
  };
  return below(one.from[0], other.to[0]) && below(other.from[0], one.to[0]);
}

void RefuseOverlap(const QualifiedName& parent, const ast::PartitionBound& bound, Draft& draft) {
  for (const catalog::Table* part : draft.schema().Partitions(parent))
    if (part->bound && Overlap(bound, *part->bound))
      draft.Refuse(Refusal::kExists, Show(part->name),
                   Show(part->name) + " has a part of these bounds already");
}

bool HasOtherChecks(const catalog::Table& table) {
  return !table.complete || Collect(table).more || !Collect(table).comparisons.empty();
}

}  // namespace pgalter::locks
