#include <algorithm>
#include <iterator>

#include "planner/sql/ast/names.h"
#include "planner/sql/ast/read_expression.h"
#include "planner/sql/ast/read_object.h"
#include "planner/sql/facts.h"

namespace pgalter::sql::ast {
namespace {

// Bits of CreateTrigStmt.timing, as in PostgreSQL's pg_trigger.h.
constexpr int kBefore = 1 << 1;

bool IsGivenByCaller(pg_query::FunctionParameterMode mode) {
  return mode != pg_query::FUNC_PARAM_OUT && mode != pg_query::FUNC_PARAM_TABLE;
}

bool IsGivenBack(pg_query::FunctionParameterMode mode) {
  return mode == pg_query::FUNC_PARAM_OUT || mode == pg_query::FUNC_PARAM_INOUT ||
         mode == pg_query::FUNC_PARAM_TABLE;
}

std::optional<FunctionResult> ReadResult(const pg_query::CreateFunctionStmt& statement) {
  FunctionResult result;
  bool of_columns = statement.return_type().pct_type();
  for (const auto& node : statement.parameters()) {
    const auto& parameter = node.function_parameter();
    if (!IsGivenBack(parameter.mode())) continue;
    of_columns |= parameter.arg_type().pct_type();
    result.fields.push_back({parameter.name(), ReadType(parameter.arg_type())});
  }
  if (of_columns) return std::nullopt;
  result.set = statement.return_type().setof();
  const bool record =
      result.fields.size() > 1 || (statement.is_procedure() && !result.fields.empty());
  if (record) {
    result.type.name = "record";
    return result;
  }
  if (statement.has_return_type()) {
    result.type = ReadType(statement.return_type());
  } else if (!result.fields.empty()) {
    result.type = result.fields.front().type;
  } else {
    result.type.name = "void";
  }
  result.fields.clear();
  return result;
}

Volatility ReadVolatility(const std::string& written) {
  if (written == "immutable") return Volatility::kImmutable;
  return written == "stable" ? Volatility::kStable : Volatility::kVolatile;
}

void ReadFunctionOption(CreateFunction& function, const pg_query::DefElem& option) {
  const std::string& name = option.defname();
  const auto& arg = option.arg();
  if (name == "language") {
    function.language = LowerCase(arg.string().sval());
  } else if (name == "volatility") {
    function.volatility = ReadVolatility(arg.string().sval());
  } else if (name == "security") {
    function.security_definer = arg.boolean().boolval();
  } else if (name == "set") {
    function.sets_search_path |= LowerCase(arg.variable_set_stmt().name()) == "search_path";
  } else if (name == "as" && arg.has_list()) {
    // Of two strings, an object file and a symbol, the last is as good as the first.
    for (std::string& part : Strings(Items(arg))) function.body = std::move(part);
  }
}

// A name for each, or nothing: what * and most expressions make is known to the server alone.
std::vector<ViewColumn> OutputsOf(const pg_query::SelectStmt& select) {
  const auto* first = &select;
  while (first->has_larg()) first = &first->larg();
  std::vector<ViewColumn> outputs;
  for (const auto& node : first->target_list()) {
    const auto& target = node.res_target();
    ViewColumn output;
    output.name = target.name();
    if (target.val().has_type_cast()) output.cast = ReadType(target.val().type_cast().type_name());
    if (target.val().has_column_ref()) {
      output.column = ReadColumn(target.val().column_ref());
      if (output.column->whole_row) return {};
      if (output.name.empty()) output.name = output.column->name;
    }
    if (output.name.empty()) return {};
    outputs.push_back(std::move(output));
  }
  return outputs;
}

// Whether it is tables and joins of them alone.
bool AddFrom(std::vector<FromTable>& from, const pg_query::Node& item) {
  if (item.has_range_var()) {
    const auto& table = item.range_var();
    from.push_back({ReadName(table), table.alias().aliasname()});
    return table.alias().colnames_size() == 0;
  }
  if (!item.has_join_expr()) return false;
  const auto& join = item.join_expr();
  return !join.has_alias() && AddFrom(from, join.larg()) && AddFrom(from, join.rarg());
}

std::vector<FromTable> FromOf(const pg_query::SelectStmt& select, const TreeFacts& facts) {
  if (select.has_larg() || select.has_with_clause() || facts.expression.has_subquery) return {};
  std::vector<FromTable> from;
  const auto add = [&](const auto& item) { return AddFrom(from, item); };
  if (!std::ranges::all_of(select.from_clause(), add)) from.clear();
  return from;
}

template <class T>
void Append(std::vector<T>& to, std::vector<T> items) {
  for (T& item : items) AddOnce(to, std::move(item));
}

void AddFacts(Policy& policy, const pg_query::Node& condition) {
  TreeFacts facts = Collect(condition);
  Append(policy.reads, ReadTables(facts.tables));
  Append(policy.columns, std::move(facts.expression.columns));
  Append(policy.functions, std::move(facts.expression.functions));
  Append(policy.literals, std::move(facts.literals));
}

template <class Statement>
Policy ReadAnyPolicy(const Statement& statement, bool create) {
  Policy policy;
  policy.name = statement.policy_name();
  policy.table = ReadName(statement.table());
  policy.create = create;
  if (statement.has_qual()) AddFacts(policy, statement.qual());
  if (statement.has_with_check()) AddFacts(policy, statement.with_check());
  return policy;
}

}  // namespace

CreateView ReadCreateView(const pg_query::ViewStmt& statement) {
  CreateView view;
  view.name = ReadName(statement.view());
  view.replace = statement.replace();
  view.temporary = ReadPersistence(statement.view()) == Persistence::kTemporary;
  TreeFacts facts = Collect(statement.query());
  view.from = FromOf(statement.query().select_stmt(), facts);
  view.reads = ReadTables(facts.tables);
  view.columns = std::move(facts.expression.columns);
  view.literals = std::move(facts.literals);
  view.outputs = OutputsOf(statement.query().select_stmt());
  std::vector<std::string> aliases = Strings(statement.aliases());
  for (std::size_t i = 0; i < std::min(aliases.size(), view.outputs.size()); ++i)
    view.outputs[i].name = std::move(aliases[i]);
  return view;
}

CreateTrigger ReadCreateTrigger(const pg_query::CreateTrigStmt& statement) {
  CreateTrigger trigger;
  trigger.name = statement.trigname();
  trigger.table = ReadName(statement.relation());
  trigger.constraint = statement.isconstraint();
  trigger.replace = statement.replace();
  trigger.row = statement.row();
  trigger.before = (statement.timing() & kBefore) != 0;
  trigger.columns = Strings(statement.columns());
  if (statement.has_when_clause()) {
    TreeFacts facts = Collect(statement.when_clause());
    trigger.when_columns = std::move(facts.expression.columns);
    trigger.when_has_subquery = facts.expression.has_subquery;
  }
  trigger.function = ReadName(statement.funcname());
  return trigger;
}

CreateFunction ReadCreateFunction(const pg_query::CreateFunctionStmt& statement, Source& source) {
  CreateFunction function;
  function.name = ReadName(statement.funcname());
  function.procedure = statement.is_procedure();
  function.replace = statement.replace();
  for (const auto& node : statement.parameters()) {
    const auto& parameter = node.function_parameter();
    if (!IsGivenByCaller(parameter.mode())) continue;
    ++function.arguments;
    function.types.push_back(ReadType(parameter.arg_type()));
    function.names.push_back(parameter.name());
    if (parameter.has_defexpr()) ++function.optional_arguments;
  }
  function.result = ReadResult(statement);
  for (const auto& option : statement.options()) ReadFunctionOption(function, option.def_elem());
  if (statement.has_sql_body()) {
    if (function.language.empty()) function.language = "sql";
    const Extent all = source.All();
    const std::size_t begin =
        std::min(source.Find(all, pg_query::RETURN), source.Find(all, pg_query::BEGIN_P));
    function.body = source.Cut({begin, all.last});
  }
  function.text = source.text();
  return function;
}

ArgumentTypes ReadArguments(const pg_query::Node& object) {
  if (!object.has_object_with_args() || object.object_with_args().args_unspecified())
    return std::nullopt;
  std::vector<TypeName> types;
  for (const auto& argument : object.object_with_args().objargs())
    types.push_back(ReadType(argument.type_name()));
  return types;
}

AlterFunction ReadAlterFunction(const pg_query::AlterFunctionStmt& statement) {
  AlterFunction alter;
  alter.name = ReadName(statement.func().objname());
  pg_query::Node object;
  *object.mutable_object_with_args() = statement.func();
  alter.arguments = ReadArguments(object);
  for (const auto& action : statement.actions())
    if (action.def_elem().defname() == "volatility")
      alter.volatility = ReadVolatility(action.def_elem().arg().string().sval());
  return alter;
}

CreateRule ReadCreateRule(const pg_query::RuleStmt& statement) {
  CreateRule rule;
  rule.name = statement.rulename();
  rule.table = ReadName(statement.relation());
  rule.replace = statement.replace();
  TreeFacts facts = Collect(statement);
  for (const auto* table : facts.tables) {
    if (table != &statement.relation()) AddOnce(rule.reads, ReadName(*table));
  }
  rule.columns = std::move(facts.expression.columns);
  return rule;
}

Policy ReadPolicy(const pg_query::CreatePolicyStmt& statement) {
  return ReadAnyPolicy(statement, true);
}

Policy ReadPolicy(const pg_query::AlterPolicyStmt& statement) {
  return ReadAnyPolicy(statement, false);
}

}  // namespace pgalter::sql::ast
