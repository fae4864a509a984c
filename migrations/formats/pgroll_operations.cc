#include "migrations/formats/pgroll_operations.h"

#include <algorithm>
#include <array>
#include <boost/json/string.hpp>
#include <utility>

#include "migrations/formats/text.h"
#include "planner/sql/identifier.h"

namespace pgalter::formats {

namespace {

namespace json = boost::json;
using sql::QuoteIdentifier;
using sql::QuoteLiteral;

std::string Argument(std::string_view key, std::string_view value) {
  std::string quoted = " " + std::string(key) + "=\"";
  for (const char c : value) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + "\"";
}

// What rows become.
struct Change {
  std::string column;  // quoted
  std::string to;
};

// Of rows for which that says something else, as pgroll's `up` is about all of them.
std::string BackfillMark(const std::string& table, const std::vector<Change>& changes,
                         std::string_view where) {
  std::vector<std::string> sets;
  for (const Change& change : changes) sets.push_back(change.column + " = (" + change.to + ")");
  std::string mark = "-- pgalter:backfill" + Argument("table", table);
  mark += Argument("set", Joined(sets, ", "));
  if (!where.empty()) mark += Argument("where", where);
  return mark;
}

std::string Differs(const std::vector<Change>& changes) {
  std::vector<std::string> differ;
  for (const Change& change : changes)
    differ.push_back(change.column + " IS DISTINCT FROM (" + change.to + ")");
  return Joined(differ, " OR ");
}

constexpr std::string_view kUp = "-- pgalter:up";

void Put(OwnLines& lines, const OwnLines& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

// For lint: pgroll itself keeps nobody waiting with it.
constexpr std::string_view kOnline = "/* pgroll:online */ ";

std::string Alter(const std::string& table, const std::string& what) {
  return std::string(kOnline) + "ALTER TABLE " + table + " " + what + ";";
}

// ---- columns

void KnowColumn(const PgrollObject& column) {
  column.Know({"name", "type", "nullable", "default", "pk", "unique", "check", "references",
               "comment", "generated"});
}

std::string Generated(const PgrollObject& column) {
  const auto generated = column.Inner("generated");
  if (!generated) return "";
  generated->Know({"expression", "identity"});
  if (const auto expression = generated->Text("expression"); !expression.empty())
    return " GENERATED ALWAYS AS (" + expression + ") STORED";
  const auto identity = generated->Inner("identity");
  if (!identity) return "";
  identity->Know({"user_specified_values", "sequence_options"});
  const std::string values = identity->Text("user_specified_values");
  const std::string options = identity->Text("sequence_options");
  return " GENERATED " + (values.empty() ? "ALWAYS" : values) + " AS IDENTITY" +
         (options.empty() ? "" : " (" + options + ")");
}

// pgroll's columns are NOT NULL unless they say otherwise.
bool IsRequired(const PgrollObject& column) { return !column.Flag("nullable"); }

std::string CommentOf(const std::string& on, const PgrollObject& object) {
  const json::value* comment = object.Find("comment");
  const bool none = comment == nullptr || comment->is_null();
  return "COMMENT ON " + on + " IS " + (none ? "NULL" : QuoteLiteral(object.Text("comment"))) + ";";
}

PgrollOperation CreateTable(const PgrollObject& body) {
  body.Know({"name", "columns", "constraints", "comment"});
  const std::string table = body.Name("name");
  std::vector<std::string> parts;
  std::vector<std::string> key;
  OwnLines comments;
  if (body.Has("comment")) comments.push_back(CommentOf("TABLE " + table, body));
  std::vector<std::string> constraints;
  for (const json::value& item : body.Items("columns")) {
    const PgrollObject column(item, body.where() + ": a column");
    KnowColumn(column);
    const std::string name = column.Name("name");
    std::string part = name + " " + column.Need("type");
    if (column.Flag("pk")) key.push_back(name);
    part += Generated(column);
    if (const auto value = column.Text("default"); !value.empty()) part += " DEFAULT " + value;
    if (IsRequired(column)) part += " NOT NULL";
    if (column.Flag("unique")) part += " UNIQUE";
    parts.push_back(std::move(part));
    if (const auto check = column.Inner("check")) constraints.push_back(ColumnCheck(*check));
    if (const auto to = column.Inner("references"))
      constraints.push_back(ColumnReference(*to, name));
    if (column.Has("comment"))
      comments.push_back(CommentOf("COLUMN " + table + "." + name, column));
  }
  if (!key.empty()) parts.push_back("PRIMARY KEY (" + Joined(key, ", ") + ")");
  for (const json::value& item : body.Items("constraints")) {
    const PgrollObject constraint(item, body.where() + ": a constraint");
    constraint.Know({"name", "columns", "type", "deferrable", "initially_deferred",
                     "nulls_not_distinct", "no_inherit", "check", "references", "exclude",
                     "index_parameters"});
    constraints.push_back(TableConstraint(constraint));
  }
  Put(parts, constraints);
  PgrollOperation operation;
  operation.start.push_back("CREATE TABLE " + table + " (" + Joined(parts, ", ") + ");");
  Put(operation.start, comments);
  operation.down = OwnLines{"DROP TABLE " + table + ";"};
  return operation;
}

// With `up` the column comes empty, is filled and kept up by a trigger, and becomes NOT NULL once
// no program leaves it out any more.
PgrollOperation AddColumn(const PgrollObject& body) {
  body.Know({"table", "column", "up"});
  const std::string table = body.Name("table");
  const auto column = body.Inner("column");
  if (!column) throw BadOperation(body.where() + " does not say its column");
  KnowColumn(*column);
  const std::string name = column->Name("name");
  const std::string value = column->Text("default");
  const std::string up = body.Expression("up");
  const bool required = IsRequired(*column);
  const bool later = required && !up.empty();
  std::string add = "ADD COLUMN " + name + " " + column->Need("type") + Generated(*column);
  if (!value.empty() && up.empty()) add += " DEFAULT " + value;
  if (required && !later) add += " NOT NULL";
  PgrollOperation operation;
  OwnLines& start = operation.start;
  start.push_back(Alter(table, add));
  if (!up.empty()) {
    start.push_back(BackfillMark(table, {{name, up}}, ""));
    start.emplace_back(kUp);
    if (!value.empty())
      operation.complete.push_back(Alter(table, "ALTER COLUMN " + name + " SET DEFAULT " + value));
  }
  OwnLines& end = later ? operation.complete : start;
  if (later) end.push_back(Alter(table, "ALTER COLUMN " + name + " SET NOT NULL"));
  if (column->Flag("pk")) end.push_back(Alter(table, "ADD PRIMARY KEY (" + name + ")"));
  if (column->Flag("unique")) end.push_back(Alter(table, "ADD UNIQUE (" + name + ")"));
  if (const auto check = column->Inner("check"))
    end.push_back(Alter(table, "ADD " + ColumnCheck(*check)));
  if (const auto to = column->Inner("references"))
    end.push_back(Alter(table, "ADD " + ColumnReference(*to, name)));
  if (column->Has("comment")) start.push_back(CommentOf("COLUMN " + table + "." + name, *column));
  operation.down = OwnLines{Alter(table, "DROP COLUMN " + name)};
  return operation;
}

// The rows first, where `up` makes something else of them, behind the gate: programs of before
// write rows that do not fit.
void PutRestricted(PgrollOperation& operation, const std::string& table,
                   const std::vector<Change>& changes, const OwnLines& restrict) {
  if (restrict.empty() && changes.empty()) return;
  if (changes.empty()) return Put(operation.start, restrict);
  operation.complete.push_back(BackfillMark(table, changes, Differs(changes)));
  operation.complete.emplace_back(kUp);
  Put(operation.complete, restrict);
}

// What is asked of the values of a column, as statements, and what takes it back.
struct Restrictions {
  OwnLines now;
  OwnLines back;
};

Restrictions RestrictionsOf(const PgrollObject& body, const std::string& table,
                            const std::string& column) {
  Restrictions made;
  const auto add = [&](const std::string& constraint, const std::string& name) {
    made.now.push_back(Alter(table, "ADD " + constraint));
    made.back.push_back(Alter(table, "DROP CONSTRAINT " + name));
  };
  if (body.Has("nullable") && !body.Flag("nullable", true)) {
    made.now.push_back(Alter(table, "ALTER COLUMN " + column + " SET NOT NULL"));
    made.back.push_back(Alter(table, "ALTER COLUMN " + column + " DROP NOT NULL"));
  }
  if (const auto check = body.Inner("check")) add(ColumnCheck(*check), check->Name("name"));
  if (const auto unique = body.Inner("unique")) {
    unique->Know({"name"});
    add("CONSTRAINT " + unique->Name("name") + " UNIQUE (" + column + ")", unique->Name("name"));
  }
  if (const auto to = body.Inner("references")) add(ColumnReference(*to, column), to->Name("name"));
  return made;
}

PgrollOperation RenameColumn(const std::string& table, const std::string& from,
                             const std::string& to) {
  PgrollOperation operation;
  operation.start.push_back(Alter(table, "RENAME COLUMN " + from + " TO " + to));
  operation.down = OwnLines{Alter(table, "RENAME COLUMN " + to + " TO " + from)};
  return operation;
}

PgrollOperation AlterColumn(const PgrollObject& body) {
  body.Know({"table", "column", "name", "type", "nullable", "default", "comment", "unique", "check",
             "references", "up", "down"});
  const std::string table = body.Name("table");
  const std::string column = body.Name("column");
  if (body.Has("name")) return RenameColumn(table, column, body.Name("name"));
  const std::string up = body.Expression("up");
  const std::string alter = "ALTER COLUMN " + column + " ";
  const std::string type = body.Text("type");
  std::vector<Change> changes;
  if (type.empty() && !up.empty() && up != column && up != body.Text("column"))
    changes.push_back({column, up});
  PgrollOperation operation;
  OwnLines& start = operation.start;
  if (!type.empty())
    start.push_back(
        Alter(table, alter + "TYPE " + type + (up.empty() ? "" : " USING (" + up + ")")));
  if (body.Flag("nullable", false)) start.push_back(Alter(table, alter + "DROP NOT NULL"));
  if (const json::value* value = body.Find("default"))
    start.push_back(
        Alter(table,
              alter + (value->is_null() ? "DROP DEFAULT" : "SET DEFAULT " + body.Need("default"))));
  if (body.Has("comment")) start.push_back(CommentOf("COLUMN " + table + "." + column, body));
  const bool kept = start.empty() && changes.empty();
  Restrictions made = RestrictionsOf(body, table, column);
  PutRestricted(operation, table, changes, made.now);
  if (operation.start.empty() && operation.complete.empty())
    throw BadOperation(body.where() + " changes nothing");
  std::ranges::reverse(made.back);
  if (kept) operation.down = std::move(made.back);
  return operation;
}

std::string IndexField(const PgrollObject& field, const std::string& name) {
  std::string text = name;
  if (field.Has("collate")) text += " COLLATE " + field.Need("collate");
  if (const auto opclass = field.Inner("opclass")) {
    opclass->Know({"name", "params"});
    text += " " + opclass->Need("name");
    const auto parameters = opclass->Texts("params");
    if (!parameters.empty()) text += " (" + Joined(parameters, ", ") + ")";
  }
  if (const auto sort = field.Text("sort"); !sort.empty()) text += " " + sort;
  if (const auto nulls = field.Text("nulls"); !nulls.empty()) text += " NULLS " + nulls;
  return text;
}

// A list of names, or of objects that have one, or an object with the names as its keys.
std::vector<std::string> IndexFields(const PgrollObject& body) {
  std::vector<std::string> fields;
  const std::string where = body.where() + ": a column";
  const json::value* columns = body.Find("columns");
  if (columns != nullptr && columns->is_object()) {
    for (const auto& member : columns->get_object()) {
      const PgrollObject field(member.value(), where);
      field.Know({"collate", "sort", "opclass", "nulls"});
      fields.push_back(IndexField(field, QuoteIdentifier(std::string_view(member.key()))));
    }
    return fields;
  }
  for (const json::value& item : body.Items("columns")) {
    if (item.is_string()) {
      fields.push_back(QuoteIdentifier(std::string_view(item.get_string())));
      continue;
    }
    const PgrollObject field(item, where);
    field.Know({"column", "collate", "sort", "opclass", "nulls"});
    fields.push_back(IndexField(field, field.Name("column")));
  }
  return fields;
}

PgrollOperation CreateIndex(const PgrollObject& body) {
  body.Know({"name", "table", "columns", "predicate", "method", "storage_parameters", "unique"});
  const std::string name = body.Name("name");
  const auto fields = IndexFields(body);
  if (fields.empty()) throw BadOperation(body.where() + " does not say its columns");
  std::string create = std::string(kOnline);
  create += body.Flag("unique") ? "CREATE UNIQUE INDEX" : "CREATE INDEX";
  create += " CONCURRENTLY " + name + " ON " + body.Name("table");
  if (const auto method = body.Text("method"); !method.empty())
    create += " USING " + QuoteIdentifier(method);
  create += " (" + Joined(fields, ", ") + ")";
  if (const auto storage = body.Text("storage_parameters"); !storage.empty())
    create += " WITH (" + storage + ")";
  if (const auto predicate = body.Text("predicate"); !predicate.empty())
    create += " WHERE " + predicate;
  PgrollOperation operation;
  operation.start.push_back(create + ";");
  operation.down = OwnLines{"DROP INDEX CONCURRENTLY " + name + ";"};
  return operation;
}

PgrollOperation DropIndex(const PgrollObject& body) {
  body.Know({"name"});
  return {{std::string(kOnline) + "DROP INDEX CONCURRENTLY " + body.Name("name") + ";"},
          {},
          std::nullopt};
}

PgrollOperation DropColumn(const PgrollObject& body) {
  body.Know({"table", "column", "down"});
  return {{Alter(body.Name("table"), "DROP COLUMN " + body.Name("column"))}, {}, std::nullopt};
}

PgrollOperation DropTable(const PgrollObject& body) {
  body.Know({"name"});
  return {{"DROP TABLE " + body.Name("name") + ";"}, {}, std::nullopt};
}

// `up` by column; those that leave the column as it is are no change.
std::vector<Change> ChangesOf(const PgrollObject& body) {
  std::vector<Change> changes;
  const auto up = body.Inner("up");
  if (!up) return changes;
  for (const auto& member : up->members()) {
    const std::string key(member.key());
    const std::string to = up->Expression(key);
    const std::string column = QuoteIdentifier(key);
    if (!to.empty() && to != column && to != key) changes.push_back({column, to});
  }
  return changes;
}

PgrollOperation CreateConstraint(const PgrollObject& body) {
  body.Know({"table", "name", "type", "columns", "check", "no_inherit", "nulls_not_distinct",
             "deferrable", "initially_deferred", "index_parameters", "references", "up", "down"});
  const std::string table = body.Name("table");
  PgrollOperation operation;
  const std::vector<Change> changes = ChangesOf(body);
  PutRestricted(operation, table, changes, {Alter(table, "ADD " + TableConstraint(body))});
  if (changes.empty())
    operation.down = OwnLines{Alter(table, "DROP CONSTRAINT " + body.Name("name"))};
  return operation;
}

PgrollOperation DropConstraint(const PgrollObject& body) {
  body.Know({"table", "column", "name", "up", "down"});
  const std::string up = body.Expression("up");
  const bool a_name = up.empty() || sql::ParseQualifiedName(up).has_value();
  if (!a_name)
    throw BadOperation(
        body.where() +
        ": its up makes something else of rows, of which drop_multicolumn_constraint "
        "says the column");
  return {{Alter(body.Name("table"), "DROP CONSTRAINT " + body.Name("name"))}, {}, std::nullopt};
}

PgrollOperation DropManyConstraint(const PgrollObject& body) {
  body.Know({"table", "name", "up", "down"});
  const std::string table = body.Name("table");
  PgrollOperation operation;
  PutRestricted(operation, table, ChangesOf(body),
                {Alter(table, "DROP CONSTRAINT " + body.Name("name"))});
  return operation;
}

PgrollOperation RenameConstraint(const PgrollObject& body) {
  body.Know({"table", "from", "to"});
  const std::string rename = "RENAME CONSTRAINT ";
  const std::string table = body.Name("table");
  const std::string from = body.Name("from");
  const std::string to = body.Name("to");
  return {{Alter(table, rename + from + " TO " + to)},
          {},
          OwnLines{Alter(table, rename + to + " TO " + from)}};
}

PgrollOperation RenameTable(const PgrollObject& body) {
  body.Know({"from", "to"});
  const std::string from = body.Name("from");
  const std::string to = body.Name("to");
  return {{Alter(from, "RENAME TO " + to)}, {}, OwnLines{Alter(to, "RENAME TO " + from)}};
}

PgrollOperation RenamesColumn(const PgrollObject& body) {
  body.Know({"table", "from", "to"});
  return RenameColumn(body.Name("table"), body.Name("from"), body.Name("to"));
}

PgrollOperation SetReplicaIdentity(const PgrollObject& body) {
  body.Know({"table", "identity"});
  const auto identity = body.Inner("identity");
  if (!identity) throw BadOperation(body.where() + " does not say its identity");
  identity->Know({"type", "index"});
  const std::string type = Lower(identity->Need("type"));
  std::string what;
  if (type == "index") what = "USING INDEX " + identity->Name("index");
  for (const std::string_view word : {"full", "default", "nothing"})
    if (type == word) what = type;
  if (what.empty()) throw BadOperation(body.where() + ": the identity " + type + " is not known");
  return {{Alter(body.Name("table"), "REPLICA IDENTITY " + what)}, {}, std::nullopt};
}

// A comment without a line end would hide the semicolon.
std::string Statements(std::string text) {
  text = std::string(Trim(text));
  const bool closed = text.ends_with(';');
  return closed ? text : text + "\n;";
}

PgrollOperation Sql(const PgrollObject& body) {
  body.Know({"up", "down", "onComplete"});
  PgrollOperation operation;
  OwnLines& lines = body.Flag("onComplete") ? operation.complete : operation.start;
  lines.push_back(Statements(body.Need("up")));
  if (const auto down = body.Text("down"); !down.empty())
    operation.down = OwnLines{Statements(down)};
  return operation;
}

struct Known {
  std::string_view name;
  PgrollOperation (*read)(const PgrollObject& body);
};

constexpr std::array kOperations{
    Known{"add_column", &AddColumn},
    Known{"alter_column", &AlterColumn},
    Known{"create_constraint", &CreateConstraint},
    Known{"create_index", &CreateIndex},
    Known{"create_table", &CreateTable},
    Known{"drop_column", &DropColumn},
    Known{"drop_constraint", &DropConstraint},
    Known{"drop_index", &DropIndex},
    Known{"drop_multicolumn_constraint", &DropManyConstraint},
    Known{"drop_table", &DropTable},
    Known{"rename_column", &RenamesColumn},
    Known{"rename_constraint", &RenameConstraint},
    Known{"rename_table", &RenameTable},
    Known{"set_replica_identity", &SetReplicaIdentity},
    Known{"sql", &Sql},
};

}  // namespace

bool IsPgrollOperation(std::string_view name) {
  return std::ranges::find(kOperations, name, &Known::name) != kOperations.end();
}

PgrollOperation ReadPgrollOperation(std::string_view name, const json::value& body) {
  const auto* found = std::ranges::find(kOperations, name, &Known::name);
  if (found != kOperations.end()) return found->read(PgrollObject(body, std::string(name)));
  std::vector<std::string> names;
  for (const Known& known : kOperations) names.emplace_back(known.name);
  throw BadOperation("the operation " + std::string(name) +
                     " is not known; there are: " + Joined(names, ", "));
}

}  // namespace pgalter::formats
