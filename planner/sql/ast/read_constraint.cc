#include <algorithm>
#include <optional>

#include "planner/sql/ast/read_expression.h"
#include "planner/sql/ast/read_table.h"
#include "planner/sql/ast/versions.h"

namespace pgalter::sql::ast {
namespace {

ConstraintKind ReadConstraintKind(pg_query::ConstrType type) {
  switch (type) {
    case pg_query::CONSTR_NULL:
      return ConstraintKind::kNull;
    case pg_query::CONSTR_NOTNULL:
      return ConstraintKind::kNotNull;
    case pg_query::CONSTR_DEFAULT:
      return ConstraintKind::kDefault;
    case pg_query::CONSTR_IDENTITY:
      return ConstraintKind::kIdentity;
    case pg_query::CONSTR_GENERATED:
      return ConstraintKind::kGeneratedStored;
    case pg_query::CONSTR_PRIMARY:
      return ConstraintKind::kPrimaryKey;
    case pg_query::CONSTR_UNIQUE:
      return ConstraintKind::kUnique;
    case pg_query::CONSTR_EXCLUSION:
      return ConstraintKind::kExclude;
    case pg_query::CONSTR_FOREIGN:
      return ConstraintKind::kForeignKey;
    default:
      return ConstraintKind::kCheck;
  }
}

ReferentialAction ReadAction(const std::string& letter) {
  if (letter == "r") return ReferentialAction::kRestrict;
  if (letter == "c") return ReferentialAction::kCascade;
  if (letter == "n") return ReferentialAction::kSetNull;
  if (letter == "d") return ReferentialAction::kSetDefault;
  return ReferentialAction::kNoAction;
}

ForeignKey ReadForeignKey(const pg_query::Constraint& constraint) {
  ForeignKey key;
  key.target = ReadName(constraint.pktable());
  key.target_columns = Strings(constraint.pk_attrs());
  key.on_delete = ReadAction(constraint.fk_del_action());
  key.on_update = ReadAction(constraint.fk_upd_action());
  key.match_full = constraint.fk_matchtype() == "f";
  key.set_columns = Strings(constraint.fk_del_set_cols());
  return key;
}

// Whether what follows a column's default starts here. A default is a b_expr: these words cannot
// stand in one, but for NOT and NULL after IS, and anything as a name after a dot.
bool EndsDefault(Source& source, std::size_t at) {
  const auto previous = source.At(at - 1);
  switch (source.At(at)) {
    case pg_query::CONSTRAINT:
    case pg_query::UNIQUE:
    case pg_query::PRIMARY:
    case pg_query::CHECK:
    case pg_query::REFERENCES:
    case pg_query::DEFAULT:
    case pg_query::COLLATE:
    case pg_query::DEFERRABLE:
    case pg_query::INITIALLY:
      return previous != pg_query::ASCII_46;
    case pg_query::NOT:
    case pg_query::NULL_P:
      return previous != pg_query::ASCII_46 && previous != pg_query::IS &&
             previous != pg_query::NOT;
    case pg_query::GENERATED:
      return source.At(at + 1) == pg_query::ALWAYS || source.At(at + 1) == pg_query::BY;
    case pg_query::ASCII_44:  // ,
    case pg_query::ASCII_41:  // )
      return true;
    default:
      return false;
  }
}

Extent OfDefault(Extent from, Source& source) {
  Extent value = source.After(from, pg_query::DEFAULT);
  int cases = 0;  // CASE … END takes any expression, with any of the words inside
  for (std::size_t at = value.first; at < value.last;) {
    const auto kind = source.At(at);
    if (kind == pg_query::CASE) ++cases;
    if (kind == pg_query::END_P && cases > 0) --cases;
    if (cases == 0 && at > value.first && EndsDefault(source, at)) return {value.first, at};
    at = Opens(kind) ? source.Closed(at) : at + 1;
  }
  return value;
}

Extent OfExpression(const pg_query::Constraint& constraint, Source& source) {
  const Extent from = source.From(constraint.location());
  switch (constraint.contype()) {
    case pg_query::CONSTR_DEFAULT:
      return OfDefault(from, source);
    case pg_query::CONSTR_CHECK:
      return source.InBrackets(source.After(from, pg_query::CHECK));
    case pg_query::CONSTR_EXCLUSION:
      return source.InBrackets(source.After(from, pg_query::WHERE));
    default:
      return source.InBrackets(source.After(from, pg_query::AS));
  }
}

// What a statement of a newer grammar said in truth.
void ApplyMarks(Constraint& read, const pg_query::Constraint& constraint, const Source& source) {
  const int location = constraint.location();
  if (source.Has(location, Mark::kVirtual)) read.kind = ConstraintKind::kGeneratedVirtual;
  if (source.Has(location, Mark::kNotEnforced)) read.not_enforced = true;
  if (source.Has(location, Mark::kWithoutOverlaps)) read.without_overlaps = true;
  if (!source.Has(location, Mark::kNotNull) || !read.expression) return;
  read.kind = ConstraintKind::kNotNull;
  for (const auto& column : read.expression->facts.columns) read.columns.push_back(column.name);
  read.expression.reset();
}

std::vector<std::string> KeyColumns(const pg_query::Constraint& constraint) {
  if (constraint.contype() == pg_query::CONSTR_FOREIGN) return Strings(constraint.fk_attrs());
  std::vector<std::string> columns = Strings(constraint.keys());
  for (const auto& exclusion : constraint.exclusions())
    columns.push_back(Items(exclusion)[0].index_elem().name());
  return columns;
}

// DEFERRABLE and the like after a column's constraint. Whether it was one.
bool ApplyAttribute(std::vector<Constraint>& constraints, pg_query::ConstrType type) {
  switch (type) {
    case pg_query::CONSTR_ATTR_DEFERRABLE:
      if (!constraints.empty()) constraints.back().deferrable = true;
      return true;
    case pg_query::CONSTR_ATTR_DEFERRED:
      if (!constraints.empty()) {
        constraints.back().deferrable = true;
        constraints.back().initially_deferred = true;
      }
      return true;
    case pg_query::CONSTR_ATTR_NOT_DEFERRABLE:
    case pg_query::CONSTR_ATTR_IMMEDIATE:
      return true;
    default:
      break;
  }
  // Of PostgreSQL 18; the name alone tells, the installed library need not have them.
  const std::string& name = pg_query::ConstrType_Name(type);
  if (name == "CONSTR_ATTR_NOT_ENFORCED" && !constraints.empty())
    constraints.back().not_enforced = true;
  return name == "CONSTR_ATTR_NOT_ENFORCED" || name == "CONSTR_ATTR_ENFORCED";
}

}  // namespace

Constraint ReadConstraint(const pg_query::Constraint& constraint, Source& source) {
  Constraint read;
  read.kind = ReadConstraintKind(constraint.contype());
  read.name = constraint.conname();
  read.columns = KeyColumns(constraint);
  read.included = Strings(constraint.including());
  if (read.kind == ConstraintKind::kExclude) read.method = constraint.access_method();
  read.using_index = constraint.indexname();
  read.not_valid = constraint.skip_validation();
  read.deferrable = constraint.deferrable();
  read.initially_deferred = constraint.initdeferred();
  read.no_inherit = constraint.is_no_inherit();
  read.nulls_not_distinct = constraint.nulls_not_distinct();
  if (read.kind == ConstraintKind::kPrimaryKey || read.kind == ConstraintKind::kUnique ||
      read.kind == ConstraintKind::kExclude)
    read.index_options = ReadOptions(constraint.options());
  read.index_tablespace = constraint.indexspace();
  read.identity_always =
      read.kind == ConstraintKind::kIdentity && constraint.generated_when() == "a";
  if (const auto* sequence = FindOption(constraint.options(), "sequence_name"))
    read.sequence = ReadName(Items(sequence->arg()));
  if (constraint.contype() == pg_query::CONSTR_GENERATED && IsVirtual(constraint))
    read.kind = ConstraintKind::kGeneratedVirtual;
  if (constraint.has_pktable()) read.foreign_key = ReadForeignKey(constraint);
  if (constraint.has_raw_expr())
    read.expression =
        ReadExpression(constraint.raw_expr(), OfExpression(constraint, source), source);
  if (constraint.has_where_clause())
    read.expression =
        ReadExpression(constraint.where_clause(), OfExpression(constraint, source), source);
  ApplyMarks(read, constraint, source);
  return read;
}

std::vector<Constraint> ReadConstraints(const Nodes& constraints, Source& source) {
  std::vector<Constraint> read;
  for (const auto& node : constraints) {
    if (!node.has_constraint() || ApplyAttribute(read, node.constraint().contype())) continue;
    read.push_back(ReadConstraint(node.constraint(), source));
  }
  return read;
}

}  // namespace pgalter::sql::ast
