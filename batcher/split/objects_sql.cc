#include "batcher/split/objects_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "planner/plan/not_null_names.h"
#include "planner/plan/steps.h"

namespace pgalter::split {

namespace {

using sql::QuoteLiteral;
using sql::ToString;

template <class Items, class Text>
std::string Each(const Items& items, std::string_view between, Text text) {
  std::vector<std::string> texts;
  for (const auto& item : items) texts.push_back(text(item));
  return fmt::format("{}", fmt::join(texts, between));
}

std::vector<Column> AllColumns(const Source& source) {
  std::vector<Column> all = source.key;
  all.insert(all.end(), source.moved.begin(), source.moved.end());
  return all;
}

// "s.a, s.b"; without a row's name "a, b".
std::string List(const std::vector<Column>& columns, const std::string& row = "") {
  return Each(columns, ", ", [&](const Column& column) { return row + column.name; });
}

std::string Same(const std::vector<Column>& columns, const std::string& one,
                 const std::string& other) {
  return Each(columns, " AND ", [&](const Column& column) {
    return fmt::format("{}{} {} {}{}", one, column.name, column.equals, other, column.name);
  });
}

std::string SameKey(const Source& source, const std::string& one, const std::string& other) {
  return Same(source.key, one, other);
}

std::string Present(const Source& source, const std::string& row) {
  const auto required = Required(source);
  if (required.empty()) return "true";
  return Each(required, " AND ",
              [&](const Column* column) { return row + column->name + " IS NOT NULL"; });
}

std::string Default(const Column& column) {
  return fmt::format("({})::{}", column.default_value.empty() ? "NULL" : column.default_value,
                     column.type);
}

// The values of a row that nobody has given any.
std::string Blank(const Source& source) {
  return Each(source.moved, ", ", [](const Column& column) { return Default(column); });
}

std::string Columns(const Column& column) {
  return fmt::format("{} {}{}{}{}", column.name, column.type, column.collation,
                     column.default_value.empty() ? "" : " DEFAULT " + column.default_value,
                     column.not_null ? " NOT NULL" : "");
}

Texts MakeTable(const Source& source, const Names& names) {
  std::vector<Column> columns = source.key;
  for (Column& column : columns) column.default_value.clear();
  columns.insert(columns.end(), source.moved.begin(), source.moved.end());
  std::string parts = Each(columns, ", ", &Columns);
  parts += fmt::format(", CONSTRAINT {} PRIMARY KEY ({})", names.key, List(source.key));
  for (const Check& check : source.checks)
    parts += fmt::format(", CONSTRAINT {} {}", check.name, check.definition);
  Texts sql{fmt::format("CREATE {}TABLE {} ({}){}{}", source.unlogged ? "UNLOGGED " : "",
                        names.target, parts,
                        source.access_method.empty() ? "" : " USING " + source.access_method,
                        source.tablespace.empty() ? "" : " TABLESPACE " + source.tablespace)};
  for (const Column& column : columns) {
    for (const std::string& setting : column.settings)
      sql.push_back(
          fmt::format("ALTER TABLE {} ALTER COLUMN {} {}", names.target, column.name, setting));
    if (!column.comment.empty())
      sql.push_back(
          fmt::format("COMMENT ON COLUMN {}.{} IS {}", names.target, column.name, column.comment));
  }
  for (const Index& index : source.indexes) {
    if (!index.unique) continue;
    const std::string name = sql::QuoteIdentifier(index.name);
    sql.push_back(
        fmt::format("CREATE UNIQUE INDEX {} ON {} {}", name, names.target, index.definition));
    if (index.is_constraint)
      sql.push_back(fmt::format("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE USING INDEX {}",
                                names.target, name, name));
  }
  return sql;
}

// Also what default privileges have given.
std::string TakeRights(const std::string& from) {
  return "DO " + DollarQuoted(fmt::format(
                     R"sql(DECLARE r record; BEGIN
FOR r IN SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END AS who
  FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) g WHERE c.oid = {0}::pg_catalog.regclass AND g.grantee <> c.relowner
LOOP EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s', {0}, r.who); END LOOP; END)sql",
                     QuoteLiteral(from)));
}

// Those that are there when it runs: nobody has to know them before.
std::string CopyRights(const std::string& from, const std::string& to) {
  return "DO " + DollarQuoted(fmt::format(
                     R"sql(DECLARE r record; BEGIN
FOR r IN SELECT a.what, a.is_grantable, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS who
  FROM pg_catalog.pg_class c CROSS JOIN LATERAL (
    SELECT g.privilege_type AS what, g.is_grantable, g.grantee FROM pg_catalog.aclexplode(c.relacl) g
    UNION ALL SELECT pg_catalog.format('%s (%I)', g.privilege_type, t.attname), g.is_grantable, g.grantee
    FROM pg_catalog.pg_attribute s JOIN pg_catalog.pg_attribute t ON t.attrelid = {1}::pg_catalog.regclass AND t.attname = s.attname
    CROSS JOIN LATERAL pg_catalog.aclexplode(s.attacl) g WHERE s.attrelid = c.oid AND s.attnum > 0 AND NOT s.attisdropped) a
  WHERE c.oid = {0}::pg_catalog.regclass AND a.grantee <> c.relowner
LOOP EXECUTE pg_catalog.format('GRANT %s ON %s TO %s%s', r.what, {1}, r.who, CASE WHEN r.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END); END LOOP; END)sql",
                     QuoteLiteral(from), QuoteLiteral(to)));
}

// A row of the target whose unique value another row of the source has by now is one whose own
// change has not come to its trigger yet, in the same transaction: the source's key would not have
// allowed it otherwise. That trigger brings it back.
std::string Evict(const Source& source, const Names& names, const std::string& row) {
  std::string sql;
  for (const Index& index : source.indexes) {
    if (!index.unique) continue;
    sql += fmt::format("    DELETE FROM {} n USING ONLY {} s WHERE {} AND {} AND NOT ({});\n",
                       names.target, names.source, SameKey(source, "s.", row),
                       Same(index.columns, "n.", "s."), SameKey(source, "n.", "s."));
  }
  return sql;
}

// The target's row of this key becomes what the source's is now, not what it was when the trigger
// was called: another trigger may have changed it again since.
std::string Bring(const Source& source, const Names& names, const std::string& row) {
  const std::vector<Column> all = AllColumns(source);
  return Evict(source, names, row) +
         fmt::format(
             "    INSERT INTO {} AS n ({}) SELECT {} FROM ONLY {} s WHERE {} AND {}\n"
             "      ON CONFLICT ({}) DO UPDATE SET {};\n"
             "    gone := NOT FOUND;\n"
             "    IF gone THEN DELETE FROM {} n WHERE {}; END IF;\n",
             names.target, List(all), List(all, "s."), names.source, SameKey(source, "s.", row),
             Present(source, "s."), List(source.key),
             Each(all, ", ", [](const Column& c) { return c.name + " = EXCLUDED." + c.name; }),
             names.target, SameKey(source, "n.", row));
}

// Its own names say their schemas; those in users' functions, which it calls by the tables' CHECKs,
// indexes and triggers, need not.
std::string TriggerFunction(const Source& source, const std::string& name,
                            const std::string& body) {
  const std::string path = source.search_path.empty() ? "" : source.search_path + ", ";
  return fmt::format(
      "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER\n"
      "SET search_path = pg_catalog, {}pg_temp AS {}",
      name, path, DollarQuoted(body));
}

// SECURITY DEFINER: users have no rights on the target. A snapshot from before a row was copied
// does not see it and would leave it there: the INSERT finds it and fails with 40001 then, as for
// any row that somebody else has changed meanwhile.
std::string SyncFunction(const Source& source, const Names& names) {
  const std::vector<Column> all = AllColumns(source);
  return TriggerFunction(
      source, names.sync,
      fmt::format("#variable_conflict use_column\n"
                  "DECLARE gone boolean;\n"
                  "BEGIN\n"
                  "  IF TG_OP = 'TRUNCATE' THEN\n"
                  "    TRUNCATE ONLY {};\n"
                  "    RETURN NULL;\n"
                  "  END IF;\n"
                  "  IF TG_OP <> 'INSERT' THEN\n"
                  "{}"
                  "    IF gone AND NOT FOUND AND ({}) AND "
                  "pg_catalog.current_setting('transaction_isolation')\n"
                  "        NOT IN ('read committed', 'read uncommitted') THEN\n"
                  "      INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO NOTHING;\n"
                  "      DELETE FROM {} n WHERE {};\n"
                  "    END IF;\n"
                  "  END IF;\n"
                  "  IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND\n"
                  "      (ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record) THEN\n"
                  "{}"
                  "  END IF;\n"
                  "  RETURN NULL;\n"
                  "END",
                  names.target, Bring(source, names, "OLD."), Present(source, "OLD."), names.target,
                  List(all), List(all, "OLD."), List(source.key), names.target,
                  SameKey(source, "n.", "OLD."), List(source.key, "OLD."), List(source.key, "NEW."),
                  Bring(source, names, "NEW.")));
}

// A view's INSERT and DELETE: of the columns, since the row is the source's. A DELETE compares the
// row with what it has seen, since nobody asks its condition again once it has waited.
std::string PutFunction(const Source& source, const Names& names) {
  const std::string shown_key = QuoteLiteral(fmt::format(
      "duplicate key value violates unique constraint \"{}_pkey\"", source.target.name));
  const std::string no_row = QuoteLiteral(
      fmt::format("insert or update on table \"{}\" violates foreign key constraint: the row is "
                  "not present in table \"{}\"",
                  source.target.name, source.name.name));
  std::string not_null;
  for (const Column& column : source.moved)
    if (column.not_null)
      not_null += fmt::format(
          "  IF NEW.{0} IS NULL THEN\n    RAISE EXCEPTION USING ERRCODE = 'not_null_violation', "
          "MESSAGE = {1};\n  END IF;\n",
          column.name,
          QuoteLiteral(fmt::format("null value in column \"{}\" of relation \"{}\" violates "
                                   "not-null constraint",
                                   column.name, source.target.name)));
  return TriggerFunction(
      source, names.put,
      fmt::format(
          "#variable_conflict use_column\n"
          "BEGIN\n"
          "  IF TG_OP = 'DELETE' THEN\n"
          "    UPDATE ONLY {} s SET {} WHERE {}\n"
          "      AND ROW({})::record OPERATOR(pg_catalog.*=) ROW({})::record;\n"
          "    IF FOUND THEN RETURN OLD; END IF;\n"
          "    IF NOT EXISTS (SELECT FROM ONLY {} s WHERE {} AND {}) THEN RETURN NULL; END IF;\n"
          "    RAISE EXCEPTION USING ERRCODE = 'serialization_failure',\n"
          "      MESSAGE = 'could not delete the row: it was changed meanwhile';\n"
          "  END IF;\n"
          "{}"
          "  UPDATE ONLY {} s SET {} WHERE {}\n"
          "    AND (NOT ({}) OR ROW({})::record OPERATOR(pg_catalog.*=) ROW({})::record);\n"
          "  IF FOUND THEN RETURN NEW; END IF;\n"
          "  IF EXISTS (SELECT FROM ONLY {} s WHERE {}) THEN\n"
          "    RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = {};\n"
          "  END IF;\n"
          "  RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = {};\n"
          "END",
          names.source,
          Each(source.moved, ", ",
               [](const Column& column) { return column.name + " = " + Default(column); }),
          SameKey(source, "s.", "OLD."), List(source.moved, "s."), List(source.moved, "OLD."),
          names.source, SameKey(source, "s.", "OLD."), Present(source, "s."), not_null,
          names.source,
          Each(source.moved, ", ",
               [](const Column& column) { return fmt::format("{0} = NEW.{0}", column.name); }),
          SameKey(source, "s.", "NEW."), Present(source, "s."), List(source.moved, "s."),
          Blank(source), names.source, SameKey(source, "s.", "NEW."), shown_key, no_row));
}

// WHEN: an UPDATE of other columns leaves the target alone. A row that is not copied yet keeps its
// key then, and is copied with the others of its range.
Texts MakeTriggers(const Source& source, const Names& names) {
  const std::vector<Column> all = AllColumns(source);
  Texts sql{
      fmt::format("CREATE TRIGGER {} AFTER INSERT OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION "
                  "{}()",
                  names.trigger, names.source, names.sync),
      fmt::format("CREATE TRIGGER {}_update AFTER UPDATE ON {} FOR EACH ROW WHEN (ROW({})::record "
                  "OPERATOR(pg_catalog.*<>) ROW({})::record) EXECUTE FUNCTION {}()",
                  names.trigger, names.source, List(all, "OLD."), List(all, "NEW."), names.sync),
      fmt::format("CREATE TRIGGER {}_truncate AFTER TRUNCATE ON {} FOR EACH STATEMENT EXECUTE "
                  "FUNCTION {}()",
                  names.trigger, names.source, names.sync)};
  for (const char* suffix : {"", "_update", "_truncate"})
    sql.push_back(fmt::format("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}{}", names.source,
                              names.trigger, suffix));
  return sql;
}

Texts MakeView(const Source& source, const Names& names) {
  const std::string present = Present(source, "");
  Texts sql{fmt::format("CREATE VIEW {} AS SELECT {} FROM {}{}", names.view,
                        List(AllColumns(source)), names.source,
                        present == "true" ? "" : " WHERE " + present)};
  for (const Column& column : source.moved)
    if (!column.default_value.empty())
      sql.push_back(fmt::format("ALTER VIEW {} ALTER COLUMN {} SET DEFAULT {}", names.view,
                                column.name, column.default_value));
  sql.push_back(fmt::format(
      "CREATE TRIGGER {} INSTEAD OF INSERT OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION {}()",
      names.trigger, names.view, names.put));
  return sql;
}

}  // namespace

std::string DollarQuoted(const std::string& body) {
  std::string tag = "$pgalter$";
  for (int n = 1; (body + "$").find(tag) != std::string::npos; ++n)
    tag = fmt::format("$pgalter{}$", n);
  return tag + "\n" + body + " " + tag;
}

Names::Names(const Source& of)
    : source(ToString(of.name)),
      view(ToString(of.target)),
      key(sql::QuoteIdentifier(NameWith(of.target.name, "_pkey"))),
      foreign_key(sql::QuoteIdentifier(NameWith(of.target.name, "_fkey"))) {
  const auto made = [&of](const char* what) {
    return ToString({of.target.schema, plan::MadeName(what, {{}, of.target.name}, "")});
  };
  target = made("new");
  sync = made("sync");
  put = made("put");
}

std::vector<const Column*> Required(const Source& source) {
  std::vector<const Column*> required;
  for (const Column& column : source.moved)
    if (column.not_null && column.default_value.empty()) required.push_back(&column);
  return required;
}

plan::Split SplitOf(const Source& source) {
  const Names names(source);
  plan::Split split;
  split.source = names.source;
  split.target = names.target;
  for (const Column& column : source.key) {
    split.key.push_back(column.name);
    split.key_types.push_back(column.type);
  }
  for (const Column& column : source.moved) split.columns.push_back(column.name);
  split.present = Present(source, "s.");
  split.view = names.view;
  return split;
}

Texts MakeAll(const Source& source) {
  const Names names(source);
  // One lock, and no stronger one later: who waits for it keeps nobody waiting in a circle. It
  // waits for older writers, so every later change meets the triggers.
  Texts sql{fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", names.source)};
  const auto add = [&sql](const Texts& more) { sql.insert(sql.end(), more.begin(), more.end()); };
  add(MakeTable(source, names));
  add({SyncFunction(source, names), PutFunction(source, names)});
  for (const std::string& function : {names.sync, names.put})
    add({fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", function),
         "DO " + DollarQuoted(fmt::format("BEGIN ALTER FUNCTION {}() OWNER TO {}; END", function,
                                          source.owner))});
  add(MakeTriggers(source, names));
  add(MakeView(source, names));
  add({fmt::format("ALTER TABLE {} OWNER TO {}", names.target, source.owner),
       fmt::format("ALTER VIEW {} OWNER TO {}", names.view, source.owner), TakeRights(names.target),
       TakeRights(names.view), CopyRights(names.source, names.view)});
  return sql;
}

Texts DropAll(const Source& source) {
  const Names names(source);
  // The view first: programs lock it before the table.
  Texts sql{fmt::format("DROP VIEW IF EXISTS {}", names.view)};
  for (const char* suffix : {"", "_update", "_truncate"})
    sql.push_back(
        fmt::format("DROP TRIGGER IF EXISTS {}{} ON {}", names.trigger, suffix, names.source));
  for (const std::string& function : {names.put, names.sync})
    sql.push_back(fmt::format("DROP FUNCTION IF EXISTS {}()", function));
  sql.push_back(fmt::format("DROP TABLE IF EXISTS {}", names.target));
  return sql;
}

Texts Swap(const Source& source) {
  const Names names(source);
  Texts sql{fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.view),
            CopyRights(names.view, names.target), fmt::format("DROP VIEW {}", names.view)};
  for (const char* suffix : {"", "_update", "_truncate"})
    sql.push_back(fmt::format("DROP TRIGGER {}{} ON {}", names.trigger, suffix, names.source));
  for (const std::string& function : {names.put, names.sync})
    sql.push_back(fmt::format("DROP FUNCTION {}()", function));
  sql.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", names.target,
                            sql::QuoteIdentifier(source.target.name)));
  sql.push_back(plan::NameNotNulls(source.target));
  sql.push_back(fmt::format(
      "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE CASCADE NOT "
      "VALID",
      names.view, names.foreign_key, List(source.key), names.source, List(source.key)));
  sql.push_back(fmt::format(
      "ALTER TABLE {} {}", names.source,
      Each(source.moved, ", ", [](const Column& column) { return "DROP COLUMN " + column.name; })));
  return sql;
}

std::string IdentityOfTriggers(const plan::Split& split) {
  return fmt::format(
      "SELECT coalesce(string_agg(concat_ws(' ', tgname, tgenabled, xmin, tgfoid), ', ' ORDER BY "
      "tgname), '') FROM pg_catalog.pg_trigger WHERE tgrelid = {}::pg_catalog.regclass AND tgname "
      "IN ('pgalter_split', 'pgalter_split_update', 'pgalter_split_truncate') AND tgenabled = 'A'",
      QuoteLiteral(split.source));
}

}  // namespace pgalter::split
