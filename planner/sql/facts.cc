#include "planner/sql/facts.h"

#include <algorithm>
#include <set>
#include <utility>

namespace pgalter::sql {
namespace {

using tree::AnyMessage;

FunctionUse ReadCall(const pg_query::FuncCall& call) {
  FunctionUse use;
  for (const auto& part : call.funcname()) use.name.push_back(part.string().sval());
  use.arguments = call.args_size();
  use.over = call.has_over();
  return use;
}

// SVFOP_CURRENT_TIMESTAMP_N -> current_timestamp
FunctionUse ReadValueFunction(const pg_query::SQLValueFunction& function) {
  std::string name = pg_query::SQLValueFunctionOp_Name(function.op());
  if (name.starts_with("SVFOP_")) name.erase(0, 6);
  if (name.ends_with("_N")) name.resize(name.size() - 2);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return {{name}, 0};
}

class Collector {
 public:
  void Visit(AnyMessage message) {
    if (const auto* column = message.As<pg_query::ColumnRef>()) {
      AddOnce(facts_.expression.columns, ReadColumn(*column));
    } else if (const auto* constant = message.As<pg_query::A_Const>()) {
      if (constant->has_sval()) facts_.literals.push_back(constant->sval().sval());
    } else if (const auto* call = message.As<pg_query::FuncCall>()) {
      AddOnce(facts_.expression.functions, ReadCall(*call));
    } else if (const auto* function = message.As<pg_query::SQLValueFunction>()) {
      AddOnce(facts_.expression.functions, ReadValueFunction(*function));
    } else if (const auto* cast = message.As<pg_query::TypeCast>()) {
      facts_.casts.push_back(cast);
    } else if (const auto* parameter = message.As<pg_query::ParamRef>()) {
      parameters_.insert(parameter->number());
    } else if (message.As<pg_query::SubLink>() != nullptr) {
      facts_.expression.has_subquery = true;
    } else {
      VisitStatement(message);
    }
  }

  TreeFacts Take() {
    std::erase_if(facts_.tables, [&](const pg_query::RangeVar* table) {
      return targets_.contains(table) ||
             (table->schemaname().empty() && with_names_.contains(table->relname()));
    });
    facts_.expression.parameters.assign(parameters_.begin(), parameters_.end());
    return std::move(facts_);
  }

 private:
  void VisitStatement(AnyMessage message) {
    if (const auto* table = message.As<pg_query::RangeVar>()) {
      facts_.tables.push_back(table);
    } else if (const auto* select = message.As<pg_query::SelectStmt>()) {
      facts_.has_limit |= select->has_limit_count();
    } else if (const auto* locking = message.As<pg_query::LockingClause>()) {
      facts_.locks_rows = true;
      // FOR UPDATE OF t: not a table, but a name of one in FROM.
      for (const auto& locked : locking->locked_rels()) targets_.insert(&locked.range_var());
    } else if (const auto* with = message.As<pg_query::CommonTableExpr>()) {
      with_names_.insert(with->ctename());
    } else if (const auto* into = message.As<pg_query::IntoClause>()) {
      targets_.insert(&into->rel());
    } else {
      (void)(VisitWrite<pg_query::InsertStmt>(message) ||
             VisitWrite<pg_query::UpdateStmt>(message) ||
             VisitWrite<pg_query::DeleteStmt>(message) || VisitWrite<pg_query::MergeStmt>(message));
    }
  }

  template <class T>
  bool VisitWrite(AnyMessage message) {
    const T* write = message.As<T>();
    if (write == nullptr) return false;
    targets_.insert(&write->relation());
    facts_.writes.push_back(message);
    return true;
  }

  TreeFacts facts_;
  std::set<int> parameters_;
  std::set<std::string> with_names_;
  std::set<const pg_query::RangeVar*> targets_;
};

}  // namespace

ColumnUse ReadColumn(const pg_query::ColumnRef& ref) {
  ColumnUse use;
  std::vector<std::string> parts;
  for (const auto& field : ref.fields()) {
    if (field.has_a_star()) use.whole_row = true;
    if (field.has_string()) parts.push_back(field.string().sval());
  }
  // From the right: column (or none), table, schema. A database name in front says nothing more.
  const auto take_last = [&](std::string& into) {
    if (parts.empty()) return;
    into = std::move(parts.back());
    parts.pop_back();
  };
  if (!use.whole_row) take_last(use.name);
  take_last(use.qualifier);
  take_last(use.schema);
  return use;
}

TreeFacts Collect(AnyMessage root) {
  Collector collector;
  tree::Walk(root, [&](AnyMessage message) { collector.Visit(message); });
  return collector.Take();
}

}  // namespace pgalter::sql
