// Constraints as pgroll writes them, as SQL.

#include "migrations/formats/pgroll_object.h"
#include "planner/sql/identifier.h"

namespace pgalter::formats {

namespace {

std::string Actions(const PgrollObject& references) {
  std::string text;
  if (const auto match = references.Text("match_type"); !match.empty()) text += " MATCH " + match;
  if (const auto action = references.Text("on_delete"); !action.empty()) {
    text += " ON DELETE " + action;
    const auto columns = references.Texts("on_delete_set_columns");
    if (!columns.empty()) text += " (" + NamesOf(columns) + ")";
  }
  if (const auto action = references.Text("on_update"); !action.empty())
    text += " ON UPDATE " + action;
  return text;
}

std::string Deferring(const PgrollObject& object) {
  std::string text;
  if (object.Flag("deferrable")) text += " DEFERRABLE";
  if (object.Flag("initially_deferred")) text += " INITIALLY DEFERRED";
  return text;
}

std::string IndexParameters(const PgrollObject& constraint) {
  const auto parameters = constraint.Inner("index_parameters");
  if (!parameters) return "";
  parameters->Know({"tablespace", "storage_parameters", "include_columns"});
  std::string text;
  const auto columns = parameters->Texts("include_columns");
  if (!columns.empty()) text += " INCLUDE (" + NamesOf(columns) + ")";
  if (const auto storage = parameters->Text("storage_parameters"); !storage.empty())
    text += " WITH (" + storage + ")";
  if (parameters->Has("tablespace"))
    text += " USING INDEX TABLESPACE " + parameters->Name("tablespace");
  return text;
}

std::string Exclusion(const PgrollObject& constraint) {
  const auto exclude = constraint.Inner("exclude");
  if (!exclude) throw BadOperation(constraint.where() + " does not say its exclude");
  exclude->Know({"index_method", "elements", "predicate"});
  std::string text = "EXCLUDE";
  if (const auto method = exclude->Text("index_method"); !method.empty())
    text += " USING " + sql::QuoteIdentifier(method);
  text += " (" + exclude->Need("elements") + ")" + IndexParameters(constraint);
  if (const auto predicate = exclude->Text("predicate"); !predicate.empty())
    text += " WHERE (" + predicate + ")";
  return text;
}

std::string ForeignKey(const PgrollObject& constraint) {
  const auto references = constraint.Inner("references");
  if (!references) throw BadOperation(constraint.where() + " does not say its references");
  references->Know(
      {"table", "columns", "match_type", "on_delete", "on_delete_set_columns", "on_update"});
  std::string to = references->Name("table");
  if (const auto columns = references->Texts("columns"); !columns.empty())
    to += " (" + NamesOf(columns) + ")";
  return "FOREIGN KEY (" + NamesOf(constraint.Texts("columns")) + ") REFERENCES " + to +
         Actions(*references);
}

}  // namespace

std::string ColumnReference(const PgrollObject& references, const std::string& column) {
  references.Know({"column", "name", "table", "match_type", "on_delete", "on_update", "deferrable",
                   "initially_deferred"});
  std::string to = references.Name("table");
  if (references.Has("column")) to += " (" + references.Name("column") + ")";
  return "CONSTRAINT " + references.Name("name") + " FOREIGN KEY (" + column + ") REFERENCES " +
         to + Actions(references) + Deferring(references);
}

std::string ColumnCheck(const PgrollObject& check) {
  check.Know({"name", "constraint", "no_inherit"});
  return "CONSTRAINT " + check.Name("name") + " CHECK (" + check.Need("constraint") + ")" +
         (check.Flag("no_inherit") ? " NO INHERIT" : "");
}

std::string TableConstraint(const PgrollObject& constraint) {
  const std::string type = constraint.Need("type");
  const std::string columns = "(" + NamesOf(constraint.Texts("columns")) + ")";
  if (columns == "()" && type != "check" && type != "exclude")
    throw BadOperation(constraint.where() + " does not say its columns");
  std::string text = "CONSTRAINT " + constraint.Name("name") + " ";
  if (type == "unique") {
    text += constraint.Flag("nulls_not_distinct") ? "UNIQUE NULLS NOT DISTINCT " : "UNIQUE ";
    text += columns + IndexParameters(constraint);
  } else if (type == "primary_key") {
    text += "PRIMARY KEY " + columns + IndexParameters(constraint);
  } else if (type == "check") {
    text += "CHECK (" + constraint.Need("check") + ")";
    if (constraint.Flag("no_inherit")) text += " NO INHERIT";
  } else if (type == "foreign_key") {
    text += ForeignKey(constraint);
  } else if (type == "exclude") {
    text += Exclusion(constraint);
  } else {
    throw BadOperation(constraint.where() + ": the type " + type + " of a constraint is not known");
  }
  return text + Deferring(constraint);
}

}  // namespace pgalter::formats
