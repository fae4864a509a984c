#include "planner/sql/facts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "planner/sql/tree.h"

namespace pgalter::sql {
namespace {

using google::protobuf::Message;

FunctionUse ReadCall(const pg_query::FuncCall& call) {
  FunctionUse use;
  for (const auto& part : call.funcname()) use.name.push_back(part.string().sval());
  use.arguments = call.args_size();
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

// Asking a type for its descriptor takes a lock's worth of time; every message is compared with all
// of them.
template <class T>
bool Is(const google::protobuf::Descriptor* type) {
  static const auto* const descriptor = T::descriptor();
  return type == descriptor;
}

class Collector {
 public:
  void Visit(const Message& message) {
    const auto* type = message.GetDescriptor();
    if (Is<pg_query::Node>(type)) return;
    if (Is<pg_query::ColumnRef>(type)) {
      AddOnce(facts_.expression.columns, ReadColumn(As<pg_query::ColumnRef>(message)));
    } else if (Is<pg_query::A_Const>(type)) {
      const auto& constant = As<pg_query::A_Const>(message);
      if (constant.has_sval()) facts_.literals.push_back(constant.sval().sval());
    } else if (Is<pg_query::FuncCall>(type)) {
      AddOnce(facts_.expression.functions, ReadCall(As<pg_query::FuncCall>(message)));
    } else if (Is<pg_query::SQLValueFunction>(type)) {
      AddOnce(facts_.expression.functions,
              ReadValueFunction(As<pg_query::SQLValueFunction>(message)));
    } else if (Is<pg_query::TypeCast>(type)) {
      facts_.casts.push_back(&As<pg_query::TypeCast>(message));
    } else if (Is<pg_query::ParamRef>(type)) {
      parameters_.insert(As<pg_query::ParamRef>(message).number());
    } else if (Is<pg_query::SubLink>(type)) {
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
  template <class T>
  static const T& As(const Message& message) {
    return static_cast<const T&>(message);
  }

  void VisitStatement(const Message& message) {
    const auto* type = message.GetDescriptor();
    if (Is<pg_query::RangeVar>(type)) {
      facts_.tables.push_back(&As<pg_query::RangeVar>(message));
    } else if (Is<pg_query::SelectStmt>(type)) {
      facts_.has_limit |= As<pg_query::SelectStmt>(message).has_limit_count();
    } else if (Is<pg_query::LockingClause>(type)) {
      facts_.locks_rows = true;
      // FOR UPDATE OF t: not a table, but a name of one in FROM.
      for (const auto& table : As<pg_query::LockingClause>(message).locked_rels())
        targets_.insert(&table.range_var());
    } else if (Is<pg_query::CommonTableExpr>(type)) {
      with_names_.insert(As<pg_query::CommonTableExpr>(message).ctename());
    } else if (Is<pg_query::IntoClause>(type)) {
      targets_.insert(&As<pg_query::IntoClause>(message).rel());
    } else {
      (void)(VisitWrite<pg_query::InsertStmt>(message) ||
             VisitWrite<pg_query::UpdateStmt>(message) ||
             VisitWrite<pg_query::DeleteStmt>(message) || VisitWrite<pg_query::MergeStmt>(message));
    }
  }

  template <class T>
  bool VisitWrite(const Message& message) {
    if (!Is<T>(message.GetDescriptor())) return false;
    targets_.insert(&As<T>(message).relation());
    facts_.writes.push_back(&message);
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

TreeFacts Collect(const Message& root) {
  Collector collector;
  tree::Walk(root, [&](const Message& message) { collector.Visit(message); });
  return collector.Take();
}

}  // namespace pgalter::sql
