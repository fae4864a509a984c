#include "batcher/partition/checked.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "batcher/partition/lookup.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using sql::QuoteIdentifier;
using sql::QuoteLiteral;
using Texts = std::vector<std::string>;

namespace {

class Writer {
 public:
  Writer(const Reference& reference, const Texts& part_columns, const Texts& taken)
      : key_(reference), part_columns_(part_columns), taken_(taken) {}

  CheckedTriggers Write() {
    const std::string base = key_.child_relname + "_" + key_.name;
    made_.refers_function = key_.child_home + "." + PartName(base, "_refers");
    made_.referred_function = key_.child_home + "." + PartName(base, "_referred");
    MakeFunction(made_.refers_function, Refers());
    MakeFunction(made_.referred_function, Referred());
    const std::string own = QuoteIdentifier(key_.name);
    AddTrigger("CONSTRAINT ", own, "AFTER INSERT OR UPDATE", key_.child, Deferrable(true), "",
               made_.refers_function);
    ParentTriggers();
    made_.drop.push_back("DROP FUNCTION IF EXISTS " + made_.refers_function + "()");
    made_.drop.push_back("DROP FUNCTION IF EXISTS " + made_.referred_function + "()");
    made_.rows = ChildOnly() + " AS y";
    made_.refers = ParentOf("y");
    return std::move(made_);
  }

 private:
  [[nodiscard]] std::string ChildOnly() const {
    // The table itself is partitioned by then.
    return (key_.child_partitioned || key_.to_itself ? "" : "ONLY ") + key_.child;
  }

  // Whatever the child is when the trigger fires: its partitions, where it was partitioned since,
  // and never a table that inherits from it, as a foreign key has it. ONLY would see no row of a
  // partitioned one.
  [[nodiscard]] std::string OfChild() const {
    const std::string child = QuoteLiteral(key_.child) + "::pg_catalog.regclass";
    return fmt::format(
        " AND (y.tableoid = {0} OR pg_catalog.pg_partition_root(y.tableoid) = "
        "pg_catalog.pg_partition_root({0}))",
        child);
  }

  // "a IS NULL OR b IS NULL" of one side's row.
  template <class Name>
  [[nodiscard]] std::string Each(const char* join, Name&& name) const {
    Texts parts;
    for (const Reference::Column& column : key_.columns) parts.push_back(name(column));
    return fmt::format("{}", fmt::join(parts, join));
  }

  // Rows of the parent with the key of `row`, which is one of the child.
  [[nodiscard]] std::string ParentOf(const char* row) const {
    return Each(" AND ", [row](const Reference::Column& c) {
      return fmt::format("x.{} {} {}.{}", c.parent, c.parent_child, row, c.child);
    });
  }
  // Rows of the child that refer to OLD of the parent.
  [[nodiscard]] std::string Children() const {
    const std::string refers = Each(" AND ", [](const Reference::Column& c) {
      return fmt::format("OLD.{} {} y.{}", c.parent, c.parent_child, c.child);
    });
    return refers + OfChild();
  }
  [[nodiscard]] std::string Names(bool child) const {
    return Each(", ", [child](const Reference::Column& c) { return child ? c.child : c.parent; });
  }

  // With the words of the server's own keys.
  [[nodiscard]] std::string Raise(const std::string& message, const char* row, bool child,
                                  const std::string& then) const {
    const std::string values = Each(", ", [row, child](const Reference::Column& c) {
      return fmt::format("{}.{}", row, child ? c.child : c.parent);
    });
    return fmt::format(
        "RAISE foreign_key_violation USING MESSAGE = {}, DETAIL = pg_catalog.format({}, "
        "pg_catalog.concat_ws(', ', {})), SCHEMA = {}, TABLE = {}, CONSTRAINT = {};",
        QuoteLiteral(message),
        QuoteLiteral(fmt::format("Key ({})=(%s) {}", Doubled(Names(child)), Doubled(then))), values,
        QuoteLiteral(Unquoted(key_.child_home)), QuoteLiteral(key_.child_relname),
        QuoteLiteral(key_.name));
  }

  // format() would take a percent sign for an argument's place.
  static std::string Doubled(const std::string& text) {
    std::string doubled;
    for (const char c : text) {
      doubled += c;
      if (c == '%') doubled += c;
    }
    return doubled;
  }

  [[nodiscard]] std::string Refers() const {
    const std::string some_null = Each(
        " OR ", [](const Reference::Column& c) { return fmt::format("NEW.{} IS NULL", c.child); });
    const std::string all_null = Each(
        " AND ", [](const Reference::Column& c) { return fmt::format("NEW.{} IS NULL", c.child); });
    const std::string same = Each(" AND ", [](const Reference::Column& c) {
      return fmt::format("OLD.{0} {1} NEW.{0}", c.child, c.child_child);
    });
    const std::string own = Each(" AND ", [](const Reference::Column& c) {
      return fmt::format("y.{0} {1} NEW.{0}", c.child, c.child_child);
    });
    const std::string violates =
        fmt::format("insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                    key_.child_relname, key_.name);
    std::string body;
    if (key_.match_full && key_.columns.size() > 1)
      body += fmt::format(
          "  IF {} THEN RETURN NULL; END IF;\n  IF {} THEN\n    RAISE foreign_key_violation USING "
          "MESSAGE = {}, DETAIL = 'MATCH FULL does not allow mixing of null and nonnull key "
          "values.';\n  END IF;\n",
          all_null, some_null, QuoteLiteral(violates));
    else
      body += fmt::format("  IF {} THEN RETURN NULL; END IF;\n", some_null);
    body += fmt::format("  IF TG_OP = 'UPDATE' AND {} THEN RETURN NULL; END IF;\n", same);
    body += fmt::format("  PERFORM FROM {} AS x WHERE {} LIMIT 1 FOR KEY SHARE;\n", key_.parent,
                        ParentOf("NEW"));
    body += "  IF FOUND THEN RETURN NULL; END IF;\n";
    body += "  -- Where the check was deferred, the row may have gone or changed since.\n";
    body += fmt::format("  PERFORM FROM {} AS y WHERE {}{} LIMIT 1;\n", key_.child, own, OfChild());
    body += fmt::format("  IF FOUND THEN\n    {}\n  END IF;\n  RETURN NULL;\n",
                        Raise(violates, "NEW", true,
                              fmt::format("is not present in table \"{}\".", key_.parent_relname)));
    return body;
  }

  [[nodiscard]] std::string StillReferred(const char* then) const {
    return fmt::format(
        "    PERFORM FROM {} AS y WHERE {} LIMIT 1 FOR KEY SHARE;\n    IF FOUND THEN\n      {}\n"
        "    END IF;\n{}",
        key_.child, Children(),
        Raise(fmt::format("update or delete on table \"{}\" violates foreign key constraint "
                          "\"{}\" on table \"{}\"",
                          key_.parent_relname, key_.name, key_.child_relname),
              "OLD", false,
              fmt::format("is still referenced from table \"{}\".", key_.child_relname)),
        then);
  }

  [[nodiscard]] std::string Set(bool on_delete, const char* to) const {
    Texts columns = on_delete ? key_.set_columns : Texts{};
    if (columns.empty())
      for (const Reference::Column& column : key_.columns) columns.push_back(column.child);
    for (std::string& column : columns) column += fmt::format(" = {}", to);
    return fmt::format("    UPDATE {} AS y SET {} WHERE {};\n", key_.child,
                       fmt::join(columns, ", "), Children());
  }

  [[nodiscard]] std::string Action(char action, bool on_delete) const {
    switch (action) {
      case 'c':
        if (on_delete)
          return fmt::format("    DELETE FROM {} AS y WHERE {};\n", key_.child, Children());
        return fmt::format("    UPDATE {} AS y SET {} WHERE {};\n", key_.child,
                           Each(", ",
                                [](const Reference::Column& c) {
                                  return fmt::format("{} = NEW.{}", c.child, c.parent);
                                }),
                           Children());
      case 'n':
        return Set(on_delete, "NULL");
      case 'd':
        // The default may be the key that has gone.
        return Set(on_delete, "DEFAULT") + StillReferred("");
      default:
        return StillReferred("");
    }
  }

  // It would look for those who refer in a snapshot of its beginning.
  [[nodiscard]] std::string RefuseOldSnapshot() const {
    return fmt::format(
        "  IF pg_catalog.current_setting('transaction_isolation') IN ('repeatable read', "
        "'serializable') THEN\n    RAISE feature_not_supported USING MESSAGE = {}, HINT = 'Such a "
        "transaction does not see rows that were inserted meanwhile: delete, truncate, or change "
        "the key, under READ COMMITTED.';\n  END IF;\n",
        QuoteLiteral(fmt::format("whether table \"{}\" refers to the key cannot be seen by a "
                                 "transaction with an old snapshot",
                                 key_.child_relname)));
  }

  [[nodiscard]] std::string Referred() const {
    const std::string null_key = Each(
        " OR ", [](const Reference::Column& c) { return fmt::format("OLD.{} IS NULL", c.parent); });
    const std::string same = Each(" AND ", [](const Reference::Column& c) {
      return fmt::format("OLD.{0} {1} NEW.{0}", c.parent, c.parent_parent);
    });
    const std::string twin = Each(" AND ", [](const Reference::Column& c) {
      return fmt::format("x.{0} {1} OLD.{0}", c.parent, c.parent_parent);
    });
    std::string body = fmt::format(
        "  IF TG_OP = 'TRUNCATE' THEN\n{}    PERFORM FROM {} AS y WHERE {}{} LIMIT 1;\n    IF "
        "FOUND "
        "THEN\n      RAISE feature_not_supported USING MESSAGE = {}, HINT = {};\n    END IF;\n"
        "    RETURN NULL;\n  END IF;\n",
        RefuseOldSnapshot(), key_.child,
        Each(" AND ",
             [](const Reference::Column& c) { return fmt::format("y.{} IS NOT NULL", c.child); }),
        OfChild(), QuoteLiteral("cannot truncate a table referenced in a foreign key constraint"),
        QuoteLiteral(fmt::format("Table \"{}\" references \"{}\": truncate it before, in a "
                                 "statement of its own.",
                                 key_.child_relname, key_.parent_relname)));
    if (GuardsMoves())
      body += fmt::format(
          "  IF TG_WHEN = 'BEFORE' THEN\n    PERFORM FROM {} AS y WHERE {} LIMIT 1;\n    IF FOUND "
          "THEN\n      RAISE feature_not_supported USING MESSAGE = {}, HINT = 'The server makes a "
          "DELETE and an INSERT of it, and the DELETE would reach the rows that refer to the key. "
          "Change the key in one statement, and the column of the partition in another.';\n    END "
          "IF;\n    RETURN NEW;\n  END IF;\n",
          key_.child, Children(),
          QuoteLiteral(fmt::format("cannot change the key that table \"{}\" refers to and the "
                                   "partition of the row at once",
                                   key_.child_relname)));
    body += fmt::format("  IF {} THEN RETURN NULL; END IF;\n", null_key);
    body += fmt::format(
        "  IF TG_OP = 'UPDATE' THEN\n    IF {} THEN RETURN NULL; END IF;\n  END IF;\n", same);
    body += "  -- The row was moved to another partition, or another one has its key.\n";
    body +=
        fmt::format("  PERFORM FROM {} AS x WHERE {} LIMIT 1 FOR KEY SHARE;\n", key_.parent, twin);
    body += "  IF FOUND THEN RETURN NULL; END IF;\n";
    body += RefuseOldSnapshot();
    body += fmt::format("  IF TG_OP = 'DELETE' THEN\n{}  ELSE\n{}  END IF;\n  RETURN NULL;\n",
                        Action(key_.on_delete, true), Action(key_.on_update, false));
    return body;
  }

  // Its own names are found in pg_catalog; an action calls users' triggers, which look further.
  void MakeFunction(const std::string& name, const std::string& body) {
    const std::string further = key_.search_path.empty() ? "" : key_.search_path + ", ";
    made_.make.push_back(
        fmt::format("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
                    "SET search_path = pg_catalog, {}pg_temp AS {}",
                    name, further, QuoteLiteral("\nBEGIN\n" + body + "END\n")));
    // Who could put it on a table of his own would reach the rows with the owner's rights.
    made_.make.push_back(fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", name));
    made_.make.push_back(fmt::format("ALTER FUNCTION {}() OWNER TO {}", name, key_.child_owner));
  }

  // A referential action is never deferred; the check that nobody refers is.
  [[nodiscard]] std::string Deferrable(bool check) const {
    if (!check || !key_.deferrable) return "";
    return key_.deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE";
  }

  void AddTrigger(const char* kind, const std::string& name, const std::string& event,
                  const std::string& table, const std::string& deferrable, const std::string& when,
                  const std::string& function) {
    made_.make.push_back(fmt::format(
        "CREATE {}TRIGGER {} {} ON {}{} FOR EACH {}{} EXECUTE FUNCTION {}()", kind, name, event,
        table, deferrable, event == "BEFORE TRUNCATE" ? "STATEMENT" : "ROW", when, function));
    made_.drop.push_back(fmt::format("DROP TRIGGER IF EXISTS {} ON {}", name, table));
  }

  // The foreign key's name where it can be: SET CONSTRAINTS finds it by that.
  std::string ParentName(const std::string& end, const std::string& start = "") {
    std::string name = Unquoted(PartName(start + key_.name, end));
    const auto is_taken = [this](const std::string& one) {
      return std::ranges::count(taken_, one) > 0 || std::ranges::count(made_.names, one) > 0;
    };
    if (is_taken(name))
      name = Unquoted(PartName(start + key_.child_relname + "_" + key_.name, end));
    made_.names.push_back(name);
    return QuoteIdentifier(name);
  }

  [[nodiscard]] bool GuardsMoves() const {
    return key_.on_delete == 'c' || key_.on_delete == 'n' || key_.on_delete == 'd';
  }

  static std::string Differs(const Texts& columns) {
    Texts differ;
    for (const std::string& column : columns)
      differ.push_back(fmt::format("OLD.{0} IS DISTINCT FROM NEW.{0}", column));
    return fmt::format("({})", fmt::join(differ, " OR "));
  }

  void ParentTriggers() {
    Texts key_columns;
    for (const Reference::Column& column : key_.columns) key_columns.push_back(column.parent);
    const std::string changed = Differs(key_columns);
    const bool delete_waits = key_.deferrable && key_.on_delete == 'a';
    const bool update_waits = key_.deferrable && key_.on_update == 'a';
    const std::string& function = made_.referred_function;
    if (delete_waits && update_waits) {
      AddTrigger("CONSTRAINT ", ParentName(""), "AFTER DELETE OR UPDATE", key_.parent,
                 Deferrable(true), "", function);
    } else {
      AddTrigger("CONSTRAINT ", ParentName(delete_waits ? "" : "_delete"), "AFTER DELETE",
                 key_.parent, Deferrable(delete_waits), "", function);
      AddTrigger("CONSTRAINT ", ParentName(update_waits ? "" : "_update"), "AFTER UPDATE",
                 key_.parent, Deferrable(update_waits), fmt::format(" WHEN ({})", changed),
                 function);
    }
    // Its name sorts last: it sees what other triggers have made of the row.
    if (GuardsMoves())
      AddTrigger("", ParentName("_move", "zz_"), "BEFORE UPDATE", key_.parent, "",
                 fmt::format(" WHEN ({} AND {})", changed, Differs(part_columns_)), function);
    // Who refers goes with it.
    if (key_.to_itself) return;
    AddTrigger("", ParentName("_truncate"), "BEFORE TRUNCATE", key_.parent, "", "", function);
  }

  const Reference& key_;
  const Texts& part_columns_;
  const Texts& taken_;
  CheckedTriggers made_;
};

}  // namespace

CheckedTriggers CheckedTriggersOf(const Reference& reference, const Texts& part_columns,
                                  const Texts& taken) {
  Writer writer(reference, part_columns, taken);
  return writer.Write();
}

}  // namespace pgalter::partition
