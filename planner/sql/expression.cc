#include "planner/sql/expression.h"

#include <algorithm>
#include <set>
#include <utility>

#include "planner/sql/tree.h"

namespace pgalter::sql {
namespace {

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

template <class T>
void AddOnce(std::vector<T>& list, T item) {
  if (std::ranges::find(list, item) == list.end()) list.push_back(std::move(item));
}

}  // namespace

Result<ExpressionFacts> ParseExpression(std::string_view text) {
  const auto expression = tree::ReadExpression(text);
  if (!expression) return expression.error();
  ExpressionFacts facts;
  std::set<int> parameters;
  const auto& root = expression->root;
  tree::ForEach<pg_query::ColumnRef>(
      root, [&](const auto& ref) { AddOnce(facts.columns, ReadColumn(ref)); });
  tree::Walk(root, [&](const google::protobuf::Message& message) {
    if (message.GetDescriptor() == pg_query::FuncCall::descriptor()) {
      AddOnce(facts.functions, ReadCall(static_cast<const pg_query::FuncCall&>(message)));
    } else if (message.GetDescriptor() == pg_query::SQLValueFunction::descriptor()) {
      AddOnce(facts.functions,
              ReadValueFunction(static_cast<const pg_query::SQLValueFunction&>(message)));
    }
  });
  tree::ForEach<pg_query::ParamRef>(root,
                                    [&](const auto& ref) { parameters.insert(ref.number()); });
  facts.parameters.assign(parameters.begin(), parameters.end());
  facts.has_subquery = tree::Contains<pg_query::SubLink>(root);
  return facts;
}

}  // namespace pgalter::sql
