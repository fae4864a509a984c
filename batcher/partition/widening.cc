#include "batcher/partition/widening.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/partition/lookup.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using sql::QuoteIdentifier;
using sql::QuoteLiteral;
using Texts = std::vector<std::string>;

namespace {

std::string Unquoted(const std::string& name) {
  const auto parsed = sql::ParseQualifiedName(name);
  return parsed ? parsed->name : name;
}

class Writer {
 public:
  Writer(const Reference& reference, const std::vector<LackingColumn>& lacking)
      : key_(reference), lacking_(lacking) {}

  Widening Write() {
    const std::string stem = Unquoted(key_.columns.front().child);
    for (const LackingColumn& column : lacking_)
      made_.columns.push_back(PartName(stem, "_" + column.name));
    made_.key = PartName(key_.name, "_wide");
    const std::string base = key_.child_relname + "_" + key_.name;
    made_.function = key_.child_home + "." + PartName(base, "_widen");
    made_.drop_key =
        fmt::format("ALTER TABLE IF EXISTS {} DROP CONSTRAINT IF EXISTS {}", key_.child, made_.key);
    AddColumns();
    AddKey();
    AddFill();
    AddChecks();
    return std::move(made_);
  }

 private:
  template <class Name>
  [[nodiscard]] std::string Each(const char* join, Name&& name) const {
    Texts parts;
    for (const Reference::Column& column : key_.columns) parts.push_back(name(column));
    return fmt::format("{}", fmt::join(parts, join));
  }

  // Over the new columns, with those of the parent.
  template <class Name>
  [[nodiscard]] std::string EachNew(const char* join, Name&& name) const {
    Texts parts;
    for (std::size_t i = 0; i < lacking_.size(); ++i)
      parts.push_back(name(made_.columns[i], QuoteIdentifier(lacking_[i].name)));
    return fmt::format("{}", fmt::join(parts, join));
  }

  plan::Step& Add(plan::StepKind kind, const char* what, Texts sql, Texts undo) {
    plan::Step step;
    step.id = fmt::format("widen-{}-{}-{}", what, key_.child_relname, key_.name);
    step.kind = kind;
    step.sql = std::move(sql);
    step.undo = std::move(undo);
    made_.steps.push_back(std::move(step));
    return made_.steps.back();
  }

  [[nodiscard]] std::string Trigger(const char* end) const {
    // It sorts last: it sees what other triggers have made of the row.
    return PartName("zz_" + key_.name, end);
  }

  // Nobody who refers to nothing has anything to look up.
  [[nodiscard]] std::string Refers(const char* row) const {
    return Each(" AND ", [row](const Reference::Column& c) {
      return fmt::format("{}{} IS NOT NULL", row, c.child);
    });
  }
  [[nodiscard]] std::string Unfilled(const char* row) const {
    return EachNew(" OR ", [row](const std::string& own, const std::string&) {
      return fmt::format("{}{} IS NULL", row, own);
    });
  }

  // The row that is referred to is locked as its foreign key will lock it: its partition column
  // cannot change between the two.
  [[nodiscard]] std::string Body() const {
    const std::string into =
        EachNew(", ", [](const std::string& own, const std::string&) { return "NEW." + own; });
    const std::string from = EachNew(
        ", ", [](const std::string&, const std::string& parents) { return "x." + parents; });
    const std::string where = Each(" AND ", [](const Reference::Column& c) {
      return fmt::format("x.{} {} NEW.{}", c.parent, c.parent_child, c.child);
    });
    const std::string clear = EachNew(" ", [](const std::string& own, const std::string&) {
      return fmt::format("NEW.{} := NULL;", own);
    });
    const std::string values =
        Each(", ", [](const Reference::Column& c) { return fmt::format("NEW.{}", c.child); });
    return fmt::format(
        "\nBEGIN\n  IF NOT ({}) THEN\n    {}\n    RETURN NEW;\n  END IF;\n  SELECT {} INTO {} FROM "
        "{} AS x WHERE {} LIMIT 1 FOR KEY SHARE;\n  IF NOT FOUND THEN\n    RAISE "
        "foreign_key_violation USING MESSAGE = {}, DETAIL = pg_catalog.concat_ws(', ', {}), HINT = "
        "{}, SCHEMA = {}, TABLE = {}, CONSTRAINT = {};\n  END IF;\n  RETURN NEW;\nEND\n",
        Refers("NEW."), clear, from, into, key_.parent, where,
        QuoteLiteral(fmt::format("insert or update on table \"{}\" violates foreign key constraint "
                                 "\"{}\": the key is not present in table \"{}\"",
                                 key_.child_relname, Unquoted(made_.key), key_.parent_relname)),
        values,
        QuoteLiteral(fmt::format("Whoever inserts before the row that is referred to has to give "
                                 "{} himself.",
                                 fmt::join(made_.columns, ", "))),
        QuoteLiteral(Unquoted(key_.child_home)), QuoteLiteral(key_.child_relname),
        QuoteLiteral(Unquoted(made_.key)));
  }

  void AddColumns() {
    Texts add;
    Texts drop;
    for (std::size_t i = 0; i < lacking_.size(); ++i) {
      add.push_back(fmt::format("ADD COLUMN {} {}", made_.columns[i], lacking_[i].type));
      drop.push_back(fmt::format("DROP COLUMN IF EXISTS {}", made_.columns[i]));
    }
    const auto differs = [](const Texts& columns) {
      Texts differ;
      for (const std::string& column : columns)
        differ.push_back(fmt::format("OLD.{0} IS DISTINCT FROM NEW.{0}", column));
      return fmt::format("({})", fmt::join(differ, " OR "));
    };
    Texts keys;
    for (const Reference::Column& column : key_.columns) keys.push_back(column.child);
    Texts sql;
    sql.push_back(fmt::format("ALTER TABLE {} {}", key_.child, fmt::join(add, ", ")));
    sql.push_back(
        fmt::format("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET "
                    "search_path = pg_catalog, pg_temp AS {}",
                    made_.function, QuoteLiteral(Body())));
    sql.push_back(fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", made_.function));
    sql.push_back(
        fmt::format("ALTER FUNCTION {}() OWNER TO {}", made_.function, key_.parent_owner));
    sql.push_back(fmt::format(
        "CREATE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW WHEN ({} AND ({})) EXECUTE "
        "FUNCTION {}()",
        Trigger("_fill"), key_.child, Refers("NEW."), Unfilled("NEW."), made_.function));
    // Another key without another column: it is the old key's.
    sql.push_back(fmt::format(
        "CREATE TRIGGER {} BEFORE UPDATE ON {} FOR EACH ROW WHEN ({} AND ({}) OR {} AND NOT ({})) "
        "EXECUTE FUNCTION {}()",
        Trigger("_keep"), key_.child, Refers("NEW."), Unfilled("NEW."), differs(keys),
        differs(made_.columns), made_.function));
    Add(plan::StepKind::kDdl, "column", std::move(sql),
        {fmt::format("DROP TRIGGER IF EXISTS {} ON {}", Trigger("_fill"), key_.child),
         fmt::format("DROP TRIGGER IF EXISTS {} ON {}", Trigger("_keep"), key_.child),
         fmt::format("DROP FUNCTION IF EXISTS {}()", made_.function),
         fmt::format("ALTER TABLE IF EXISTS {} {}", key_.child, fmt::join(drop, ", "))});
  }

  // A change of the partition column goes on to the rows that refer.
  void AddKey() {
    Texts own;
    Texts parents;
    for (const Reference::Column& column : key_.columns) {
      own.push_back(column.child);
      parents.push_back(column.parent);
    }
    for (std::size_t i = 0; i < lacking_.size(); ++i) {
      own.push_back(made_.columns[i]);
      parents.push_back(QuoteIdentifier(lacking_[i].name));
    }
    std::string on_delete = ActionText("DELETE", key_.on_delete);
    if (!key_.set_columns.empty())
      on_delete += fmt::format(" ({})", fmt::join(key_.set_columns, ", "));
    const char* const deferrable = !key_.deferrable ? ""
                                   : key_.deferred  ? " DEFERRABLE INITIALLY DEFERRED"
                                                    : " DEFERRABLE";
    Texts sql{fmt::format(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}){} ON "
        "UPDATE CASCADE{}{} NOT VALID",
        key_.child, made_.key, fmt::join(own, ", "), key_.parent, fmt::join(parents, ", "),
        key_.match_full ? " MATCH FULL" : "", on_delete, deferrable)};
    if (!key_.comment.empty())
      sql.push_back(fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", made_.key, key_.child,
                                QuoteLiteral(key_.comment)));
    Add(plan::StepKind::kDdl, "key", std::move(sql), {made_.drop_key});
  }

  void AddFill() {
    const std::string where = Each(" AND ", [this](const Reference::Column& c) {
      return fmt::format("x.{} {} {}.{}", c.parent, c.parent_child,
                         QuoteIdentifier(key_.child_relname), c.child);
    });
    Texts set;
    Texts stale;
    for (std::size_t i = 0; i < lacking_.size(); ++i) {
      const std::string value = fmt::format("(SELECT x.{} FROM {} AS x WHERE {})",
                                            QuoteIdentifier(lacking_[i].name), key_.parent, where);
      set.push_back(fmt::format("{} = {}", made_.columns[i], value));
      stale.push_back(fmt::format("{} IS DISTINCT FROM {}", made_.columns[i], value));
    }
    plan::Backfill fill;
    fill.table = key_.child;
    fill.set = fmt::format("{}", fmt::join(set, ", "));
    // Not only what is NULL: a row that came between the column and the key, which carries changes
    // on, has what its parent was then.
    fill.where = fmt::format("{} AND ({})", Refers(""), fmt::join(stale, " OR "));
    Add(plan::StepKind::kBackfill, "fill",
        {fmt::format("UPDATE {} SET {} WHERE {}", key_.child, fill.set, fill.where)}, {})
        .backfill = fill;
  }

  void AddChecks() {
    const std::string check = PartName(Unquoted(made_.key), "_check");
    const std::string filled = EachNew(
        " AND ", [](const std::string& own, const std::string&) { return own + " IS NOT NULL"; });
    Add(plan::StepKind::kDdl, "check",
        {fmt::format("ALTER TABLE {} ADD CONSTRAINT {} CHECK (NOT ({}) OR {}) NOT VALID",
                     key_.child, check, Refers(""), filled)},
        {fmt::format("ALTER TABLE IF EXISTS {} DROP CONSTRAINT IF EXISTS {}", key_.child, check)});
    Texts validate{fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", key_.child, check)};
    Add(plan::StepKind::kValidate, "check-validate", std::move(validate), {});
    if (key_.valid)
      Add(plan::StepKind::kValidate, "key-validate",
          {fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", key_.child, made_.key)}, {});
  }

  const Reference& key_;
  const std::vector<LackingColumn>& lacking_;
  Widening made_;
};

}  // namespace

Widening WideningOf(const Reference& reference, const std::vector<LackingColumn>& lacking) {
  Writer writer(reference, lacking);
  return writer.Write();
}

}  // namespace pgalter::partition
