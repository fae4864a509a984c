#include "migrations/emit/kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace pgalter::emit {

namespace {

using std::string_literals::operator""s;

bool Same(const Object& from, const Object& to, std::initializer_list<const char*> facts) {
  return std::ranges::all_of(facts,
                             [&](const char* fact) { return from.Fact(fact) == to.Fact(fact); });
}

template <const char* kWord>
Statements Drop(const Object& object) {
  return {fmt::format("DROP {} {}", kWord, object.key)};
}
constexpr char kSchema[] = "SCHEMA";
constexpr char kExtension[] = "EXTENSION";
constexpr char kType[] = "TYPE";
constexpr char kDomain[] = "DOMAIN";
constexpr char kSequence[] = "SEQUENCE";
constexpr char kTable[] = "TABLE";
constexpr char kIndex[] = "INDEX";
constexpr char kView[] = "VIEW";
constexpr char kMatview[] = "MATERIALIZED VIEW";
constexpr char kRoutine[] = "ROUTINE";
constexpr char kStatistics[] = "STATISTICS";

Statements DropOn(const Object& object, std::string_view word) {
  return {fmt::format("DROP {} {} ON {}", word, object.Fact("name"), object.on)};
}

Statements Definition(const Object& object, const Parts&) { return {object.Fact("definition")}; }

// ---- schemas, extensions, types ----------------------------------------------------------------

Statements MakeSchema(const Object& object, const Parts&) {
  return {"CREATE SCHEMA " + object.key};
}

Statements MakeExtension(const Object& object, const Parts&) {
  return {fmt::format("CREATE EXTENSION {} WITH SCHEMA {} VERSION {}", object.key,
                      object.Fact("schema"), object.Fact("version"))};
}

Statements AlterExtension(const Object& from, const Object& to) {
  Statements sql;
  if (!Same(from, to, {"version"}))
    sql.push_back(fmt::format("ALTER EXTENSION {} UPDATE TO {}", to.key, to.Fact("version")));
  if (!Same(from, to, {"schema"}) && to.Is("movable"))
    sql.push_back(fmt::format("ALTER EXTENSION {} SET SCHEMA {}", to.key, to.Fact("schema")));
  return sql;
}

Statements Labels(const Object& object) {
  Statements labels;
  if (object.Fact("labels").empty()) return labels;
  const boost::json::value all = boost::json::parse(object.Fact("labels"));
  for (const auto& label : all.as_array()) labels.emplace_back(label.as_string());
  return labels;
}

Statements MakeEnum(const Object& object, const Parts&) {
  return {fmt::format("CREATE TYPE {} AS ENUM ({})", object.key, fmt::join(Labels(object), ", "))};
}

// Labels can only be added.
Statements AlterEnum(const Object& from, const Object& to) {
  const Statements before = Labels(from);
  const Statements after = Labels(to);
  Statements sql;
  std::size_t met = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (met < before.size() && before[met] == after[i]) {
      ++met;
      continue;
    }
    const std::string place = i > 0            ? " AFTER " + after[i - 1]
                              : before.empty() ? ""
                                               : " BEFORE " + before.front();
    sql.push_back(fmt::format("ALTER TYPE {} ADD VALUE {}{}", to.key, after[i], place));
  }
  return met == before.size() ? sql : Statements();
}

std::string Collated(const Object& object) {
  return object.Fact("collation").empty() ? "" : " COLLATE " + object.Fact("collation");
}

Statements MakeDomain(const Object& object, const Parts&) {
  const std::string value = object.Fact("default");
  return {fmt::format("CREATE DOMAIN {} AS {}{}{}{}", object.key, object.Fact("base"),
                      Collated(object), value.empty() ? "" : " DEFAULT " + value,
                      object.Is("not null") ? " NOT NULL" : "")};
}

Statements AlterDomain(const Object& from, const Object& to) {
  Statements sql;
  if (!Same(from, to, {"base", "collation"})) return sql;
  const std::string value = to.Fact("default");
  if (!Same(from, to, {"default"}))
    sql.push_back(fmt::format("ALTER DOMAIN {} {}", to.key,
                              value.empty() ? "DROP DEFAULT" : "SET DEFAULT " + value));
  if (!Same(from, to, {"not null"}))
    sql.push_back(
        fmt::format("ALTER DOMAIN {} {} NOT NULL", to.key, to.Is("not null") ? "SET" : "DROP"));
  return sql;
}

std::string Attribute(const Object& object) {
  return fmt::format("{} {}{}", object.Fact("name"), object.Fact("type"), Collated(object));
}

std::vector<const Object*> PartsOf(const std::string& key, const Parts& parts) {
  std::vector<const Object*> found;
  const auto [begin, end] = parts.equal_range(key);
  for (auto part = begin; part != end; ++part) found.push_back(part->second);
  std::ranges::sort(found, {}, &Object::oid);
  return found;
}

Statements MakeComposite(const Object& object, const Parts& parts) {
  Statements attributes;
  for (const Object* attribute : PartsOf(object.key, parts))
    attributes.push_back(Attribute(*attribute));
  return {fmt::format("CREATE TYPE {} AS ({})", object.key, fmt::join(attributes, ", "))};
}

Statements MakeAttribute(const Object& object, const Parts&) {
  return {fmt::format("ALTER TYPE {} ADD ATTRIBUTE {}", object.on, Attribute(object))};
}
Statements DropAttribute(const Object& object) {
  return {fmt::format("ALTER TYPE {} DROP ATTRIBUTE {}", object.on, object.Fact("name"))};
}
Statements AlterAttribute(const Object&, const Object& to) {
  return {fmt::format("ALTER TYPE {} ALTER ATTRIBUTE {} TYPE {}{}", to.on, to.Fact("name"),
                      to.Fact("type"), Collated(to))};
}

Statements MakeRange(const Object& object, const Parts&) {
  return {fmt::format("CREATE TYPE {} AS RANGE ({})", object.key, object.Fact("definition"))};
}

// ---- sequences ---------------------------------------------------------------------------------

std::string SequenceOptions(const Object& object) {
  return fmt::format("AS {} START WITH {} INCREMENT BY {} MINVALUE {} MAXVALUE {} CACHE {} {}CYCLE",
                     object.Fact("type"), object.Fact("start"), object.Fact("increment"),
                     object.Fact("min"), object.Fact("max"), object.Fact("cache"),
                     object.Is("cycle") ? "" : "NO ");
}

bool IsIdentity(const Object& object) { return object.Fact("kind") == "identity"; }

Statements MakeSequence(const Object& object, const Parts&) {
  if (IsIdentity(object))  // made with its column, which may have named it otherwise
    return {fmt::format("ALTER SEQUENCE {} {}", object.key, SequenceOptions(object))};
  return {fmt::format("CREATE {}SEQUENCE {} {}", object.Is("unlogged") ? "UNLOGGED " : "",
                      object.key, SequenceOptions(object))};
}

Statements DropSequence(const Object& object) {
  return IsIdentity(object) ? Statements() : Drop<kSequence>(object);
}

Statements AlterSequence(const Object& from, const Object& to) {
  Statements sql;
  if (!Same(from, to, {"kind"})) return sql;
  if (!Same(from, to, {"type", "start", "increment", "min", "max", "cache", "cycle"}))
    sql.push_back(fmt::format("ALTER SEQUENCE {} {}", to.key, SequenceOptions(to)));
  if (!Same(from, to, {"unlogged"}) && !IsIdentity(to))
    sql.push_back(
        fmt::format("ALTER SEQUENCE {} SET {}LOGGED", to.key, to.Is("unlogged") ? "UN" : ""));
  return sql;
}

// Of a sequence that is made before the table whose column owns it.
Statements MakeOwner(const Object& object, const Parts&) {
  return {fmt::format("ALTER SEQUENCE {} OWNED BY {}", object.on, object.Fact("owner"))};
}
Statements DropOwner(const Object& object) {
  return {fmt::format("ALTER SEQUENCE {} OWNED BY NONE", object.on)};
}
Statements AlterOwner(const Object&, const Object& to) { return MakeOwner(to, {}); }

// ---- tables and columns ------------------------------------------------------------------------

std::string IdentityOf(const Object& column) {
  return column.Fact("identity") == "a"   ? "GENERATED ALWAYS AS IDENTITY"
         : column.Fact("identity") == "d" ? "GENERATED BY DEFAULT AS IDENTITY"
                                          : "";
}

std::string Column(const Object& column) {
  std::string text =
      fmt::format("{} {}{}", column.Fact("name"), column.Fact("type"), Collated(column));
  if (!column.Fact("generated").empty())
    text += fmt::format(" GENERATED ALWAYS AS ({}) {}", column.Fact("default"),
                        column.Fact("generated") == "v" ? "VIRTUAL" : "STORED");
  else if (!column.Fact("default").empty())
    text += " DEFAULT " + column.Fact("default");
  if (!column.Fact("identity").empty()) text += " " + IdentityOf(column);
  if (column.Is("not null")) text += " NOT NULL";
  return text;
}

std::string OnColumn(const Object& column, const std::string& what) {
  return fmt::format("ALTER TABLE {} ALTER COLUMN {} {}", column.on, column.Fact("name"), what);
}

Statements StorageOf(const Object& column) {
  const std::string storage = column.Fact("storage");
  if (storage == "default" || storage.empty()) return {};
  return {OnColumn(column, "SET STORAGE " + storage)};
}

Statements MakeColumn(const Object& column, const Parts&) {
  Statements sql{fmt::format("ALTER TABLE {} ADD COLUMN {}", column.on, Column(column))};
  for (std::string& more : StorageOf(column)) sql.push_back(std::move(more));
  return sql;
}
Statements DropColumn(const Object& column) {
  return {fmt::format("ALTER TABLE {} DROP COLUMN {}", column.on, column.Fact("name"))};
}

void AlterDefault(const Object& from, const Object& to, Statements& sql) {
  if (!from.Fact("identity").empty() && to.Fact("identity").empty())
    sql.push_back(OnColumn(to, "DROP IDENTITY"));
  const std::string value = to.Fact("default");
  if (!Same(from, to, {"default"}) && to.Fact("generated").empty())
    sql.push_back(OnColumn(to, value.empty() ? "DROP DEFAULT"s : "SET DEFAULT " + value));
}

Statements AlterColumn(const Object& from, const Object& to) {
  Statements sql;
  const bool other_expression = !to.Fact("generated").empty() && !Same(from, to, {"default"});
  if (from.Fact("generated").empty() && !to.Fact("generated").empty()) return sql;
  if (other_expression) return sql;
  if (!Same(from, to, {"generated"})) {
    sql.push_back(OnColumn(to, "DROP EXPRESSION"));
    if (!to.Fact("default").empty())
      sql.push_back(OnColumn(to, "SET DEFAULT " + to.Fact("default")));
  }
  const bool retyped = !Same(from, to, {"type", "collation"});
  // A default of the old type may have no way to the new one.
  const bool parked = retyped && !from.Fact("default").empty() && from.Fact("generated").empty();
  if (parked) sql.push_back(OnColumn(to, "DROP DEFAULT"));
  if (retyped)
    sql.push_back(OnColumn(to, fmt::format("TYPE {}{} USING {}::{}", to.Fact("type"), Collated(to),
                                           to.Fact("name"), to.Fact("type"))));
  if (parked && !to.Fact("default").empty())
    sql.push_back(OnColumn(to, "SET DEFAULT " + to.Fact("default")));
  if (!parked && Same(from, to, {"generated"})) AlterDefault(from, to, sql);
  if (!Same(from, to, {"not null"}))
    sql.push_back(OnColumn(to, to.Is("not null") ? "SET NOT NULL" : "DROP NOT NULL"));
  if (!Same(from, to, {"identity"}) && !to.Fact("identity").empty())
    sql.push_back(OnColumn(to, from.Fact("identity").empty() ? "ADD " + IdentityOf(to)
                               : to.Fact("identity") == "a"  ? "SET GENERATED ALWAYS"
                                                             : "SET GENERATED BY DEFAULT"));
  if (!Same(from, to, {"storage"}))
    sql.push_back(OnColumn(
        to, "SET STORAGE " +
                (to.Fact("storage") == "default" ? to.Fact("own storage") : to.Fact("storage"))));
  return sql;
}

void SetTable(const Object& to, const std::string& what, Statements& sql) {
  sql.push_back(fmt::format("ALTER TABLE {} {}", to.key, what));
}

void SecureTable(const Object& from, const Object& to, Statements& sql) {
  if (!Same(from, to, {"security"}))
    SetTable(to, (to.Is("security") ? "ENABLE"s : "DISABLE"s) + " ROW LEVEL SECURITY", sql);
  if (!Same(from, to, {"force"}))
    SetTable(to, (to.Is("force") ? ""s : "NO "s) + "FORCE ROW LEVEL SECURITY", sql);
}

Statements MakeTable(const Object& object, const Parts& parts) {
  Statements columns;
  Statements more;
  for (const Object* column : PartsOf(object.key, parts)) {
    columns.push_back(Column(*column));
    for (std::string& storage : StorageOf(*column)) more.push_back(std::move(storage));
  }
  const std::string partitioned = object.Fact("partitioned");
  const std::string options = object.Fact("options");
  Statements sql{fmt::format("CREATE {}TABLE {} ({}){}{}", object.Is("unlogged") ? "UNLOGGED " : "",
                             object.key, fmt::join(columns, ", "),
                             partitioned.empty() ? "" : " PARTITION BY " + partitioned,
                             options.empty() ? "" : fmt::format(" WITH ({})", options))};
  sql.insert(sql.end(), more.begin(), more.end());
  Object plain = object;
  plain.facts["security"] = plain.facts["force"] = "false";
  SecureTable(plain, object, sql);
  return sql;
}

// "fillfactor=70, autovacuum_enabled=off": those of the first that the second lacks.
Statements Missing(const std::string& options, const std::string& in) {
  Statements missing;
  for (std::size_t at = 0; at < options.size();) {
    const std::size_t end = std::min(options.find(", ", at), options.size());
    const std::string name = options.substr(at, std::min(options.find('=', at), end) - at);
    if ((", " + in).find(", " + name + "=") == std::string::npos) missing.push_back(name);
    at = end + 2;
  }
  return missing;
}

Statements AlterTable(const Object& from, const Object& to) {
  Statements sql;
  if (!Same(from, to, {"kind", "partitioned"})) return sql;
  if (!Same(from, to, {"unlogged"}))
    SetTable(to, fmt::format("SET {}LOGGED", to.Is("unlogged") ? "UN" : ""), sql);
  const Statements gone = Missing(from.Fact("options"), to.Fact("options"));
  if (!gone.empty()) SetTable(to, fmt::format("RESET ({})", fmt::join(gone, ", ")), sql);
  if (!Same(from, to, {"options"}) && !to.Fact("options").empty())
    SetTable(to, fmt::format("SET ({})", to.Fact("options")), sql);
  SecureTable(from, to, sql);
  return sql;
}

// What REPLICA IDENTITY names may be an index, which comes later.
Statements MakeReplica(const Object& object, const Parts&) {
  const std::string how = object.Fact("replica");
  return {fmt::format("ALTER TABLE {} REPLICA IDENTITY {}", object.on,
                      how == "f"   ? "FULL"
                      : how == "n" ? "NOTHING"
                                   : "USING INDEX " + object.Fact("replica index"))};
}
Statements DropReplica(const Object& object) {
  return {fmt::format("ALTER TABLE {} REPLICA IDENTITY DEFAULT", object.on)};
}
Statements AlterReplica(const Object&, const Object& to) { return MakeReplica(to, {}); }

Statements MakeViewDefault(const Object& object, const Parts&) {
  return {fmt::format("ALTER VIEW {} ALTER COLUMN {} SET DEFAULT {}", object.on,
                      object.Fact("name"), object.Fact("default"))};
}
Statements DropViewDefault(const Object& object) {
  return {
      fmt::format("ALTER VIEW {} ALTER COLUMN {} DROP DEFAULT", object.on, object.Fact("name"))};
}

// ---- what hangs on tables ----------------------------------------------------------------------

std::string OfConstraint(const Object& object) {
  return fmt::format("ALTER {} {}", object.Fact("of"), object.on);
}
Statements MakeConstraint(const Object& object, const Parts&) {
  if (object.Is("inherited")) return {};
  return {fmt::format("{} ADD CONSTRAINT {} {}", OfConstraint(object), object.Fact("name"),
                      object.Fact("definition"))};
}
Statements DropConstraint(const Object& object) {
  if (object.Is("inherited")) return {};
  return {fmt::format("{} DROP CONSTRAINT {}", OfConstraint(object), object.Fact("name"))};
}
Statements AlterConstraint(const Object& from, const Object& to) {
  const std::string loose = to.Fact("definition") + " NOT VALID";
  if (to.Is("validated") && from.Fact("definition") == loose)
    return {fmt::format("{} VALIDATE CONSTRAINT {}", OfConstraint(to), to.Fact("name"))};
  return {};
}

Statements MakeIndex(const Object& object, const Parts&) {
  if (object.Is("invalid")) return {};
  return {object.Fact("definition")};
}

Statements MakeAttached(const Object& object, const Parts&) {
  if (object.Is("index"))
    return {fmt::format("ALTER INDEX {} ATTACH PARTITION {}", object.Fact("parent"), object.key)};
  if (object.Fact("bound").empty())
    return {fmt::format("ALTER TABLE {} INHERIT {}", object.key, object.Fact("parent"))};
  return {fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", object.Fact("parent"), object.key,
                      object.Fact("bound"))};
}
Statements DropAttached(const Object& object) {
  if (object.Is("index")) return {};  // goes with its table
  if (object.Fact("bound").empty())
    return {fmt::format("ALTER TABLE {} NO INHERIT {}", object.key, object.Fact("parent"))};
  return {fmt::format("ALTER TABLE {} DETACH PARTITION {}", object.Fact("parent"), object.key)};
}

Statements MakeTrigger(const Object& object, const Parts&) {
  if (object.Is("inherited")) return {};
  Statements sql{object.Fact("definition")};
  const std::string enabled = object.Fact("enabled");
  if (enabled != "O")
    sql.push_back(fmt::format("ALTER TABLE {} {} TRIGGER {}", object.on,
                              enabled == "D"   ? "DISABLE"
                              : enabled == "R" ? "ENABLE REPLICA"
                                               : "ENABLE ALWAYS",
                              object.Fact("name")));
  return sql;
}
Statements DropTrigger(const Object& object) {
  return object.Is("inherited") ? Statements() : DropOn(object, "TRIGGER");
}
Statements DropRule(const Object& object) { return DropOn(object, "RULE"); }
Statements DropPolicy(const Object& object) { return DropOn(object, "POLICY"); }
Statements MakePolicy(const Object& object, const Parts&) {
  return {fmt::format("CREATE POLICY {} ON {} {}", object.Fact("name"), object.on,
                      object.Fact("definition"))};
}

// ---- views and routines ------------------------------------------------------------------------

std::string WithOptions(const Object& object) {
  const std::string options = object.Fact("options");
  return options.empty() ? "" : fmt::format(" WITH ({})", options);
}
Statements MakeView(const Object& object, const Parts&) {
  return {fmt::format("CREATE VIEW {}{} AS{}{}", object.key, WithOptions(object),
                      object.Fact("definition").starts_with(' ') ? "" : " ",
                      object.Fact("definition"))};
}
// Columns can only be added behind the others.
Statements AlterView(const Object& from, const Object& to) {
  if (!(to.Fact("columns") + ", ").starts_with(from.Fact("columns") + ", ")) return {};
  return {fmt::format("CREATE OR REPLACE VIEW {}{} AS{}{}", to.key, WithOptions(to),
                      to.Fact("definition").starts_with(' ') ? "" : " ", to.Fact("definition"))};
}
Statements MakeMatview(const Object& object, const Parts&) {
  return {fmt::format("CREATE MATERIALIZED VIEW {}{} AS{}{}", object.key, WithOptions(object),
                      object.Fact("definition").starts_with(' ') ? "" : " ",
                      object.Fact("definition"))};
}
Statements AlterRoutine(const Object& from, const Object& to) {
  if (!Same(from, to, {"shape"})) return {};
  return {to.Fact("definition")};
}

Statements SetComment(const Object& object, const Parts&) {
  return {fmt::format("COMMENT ON {} IS {}", object.key, object.Fact("text"))};
}
Statements DropComment(const Object& object) {
  return {fmt::format("COMMENT ON {} IS NULL", object.key)};
}
Statements AlterComment(const Object&, const Object& to) { return SetComment(to, {}); }

}  // namespace

bool ComesWithItsTable(const Object& column) {
  return column.Fact("default").empty() || column.Fact("default").find('(') == std::string::npos;
}

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kKinds{
      {"schema", &MakeSchema, &Drop<kSchema>},
      {"extension", &MakeExtension, &Drop<kExtension>, &AlterExtension},
      {"enum", &MakeEnum, &Drop<kType>, &AlterEnum},
      {"composite", &MakeComposite, &Drop<kType>},
      {"attribute", &MakeAttribute, &DropAttribute, &AlterAttribute},
      {"range", &MakeRange, &Drop<kType>},
      {"domain", &MakeDomain, &Drop<kDomain>, &AlterDomain},
      {"sequence", &MakeSequence, &DropSequence, &AlterSequence},
      {"table", &MakeTable, &Drop<kTable>, &AlterTable},
      {"routine", &Definition, &Drop<kRoutine>, &AlterRoutine, true},
      {"column", &MakeColumn, &DropColumn, &AlterColumn},
      {"sequence owner", &MakeOwner, &DropOwner, &AlterOwner},
      {"view", &MakeView, &Drop<kView>, &AlterView, true},
      {"materialized view", &MakeMatview, &Drop<kMatview>, nullptr, true},
      {"column default", &MakeViewDefault, &DropViewDefault, nullptr, true},
      {"index", &MakeIndex, &Drop<kIndex>, nullptr, true},
      {"constraint", &MakeConstraint, &DropConstraint, &AlterConstraint, true},
      {"attached", &MakeAttached, &DropAttached, nullptr, true},
      {"replica identity", &MakeReplica, &DropReplica, &AlterReplica},
      {"statistics", &Definition, &Drop<kStatistics>, nullptr, true},
      {"rule", &Definition, &DropRule, nullptr, true},
      {"trigger", &MakeTrigger, &DropTrigger, nullptr, true},
      {"policy", &MakePolicy, &DropPolicy, nullptr, true},
      {"comment", &SetComment, &DropComment, &AlterComment},
      {"aggregate", nullptr, nullptr},
      {"foreign table", nullptr, nullptr},
  };
  return kKinds;
}

}  // namespace pgalter::emit
