#include "batcher/partition/widening.h"

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
    if (key_.child_partitioned)
      WriteOfPartitions();
    else
      WriteOfPlain();
    return std::move(made_);
  }

 private:
  void WriteOfPlain() {
    Texts column = Columns();
    Append(column, Triggers());
    Texts undo = TriggersBack();
    Append(undo, ColumnsBack());
    Add(plan::StepKind::kDdl, "column", std::move(column), std::move(undo));
    Texts key{AddKeyTo(key_.child) + " NOT VALID"};
    Append(key, CommentOnKey());
    Add(plan::StepKind::kDdl, "key", std::move(key), {made_.drop_key});
    AddFill();
    AddCheck();
    Validate("check-validate", key_.child, CheckName());
    if (key_.valid) Validate("key-validate", key_.child, made_.key);
  }

  // A partitioned table takes no key NOT VALID before PostgreSQL 18: its partitions do, and it
  // adopts theirs without a scan when they are valid. As long as the column is empty they are so at
  // once, and each partition that comes later has the key from its beginning. With MATCH FULL an
  // empty column next to a full one is none: the rows are filled before.
  void WriteOfPartitions() {
    Texts column = Columns();
    Texts back = ColumnsBack();
    Texts adopt{AddKeyTo(key_.child)};
    Append(adopt, CommentOnKey());
    Texts adopt_back{made_.drop_key};
    Texts& with_triggers = key_.match_full ? column : adopt;
    Append(with_triggers, Triggers());
    Texts& back_with_triggers = key_.match_full ? back : adopt_back;
    const Texts triggers_back = TriggersBack();
    back_with_triggers.insert(back_with_triggers.begin(), triggers_back.begin(),
                              triggers_back.end());
    Add(plan::StepKind::kDdl, "column", std::move(column), std::move(back));
    AddKeysToLeaves();
    if (key_.match_full) FillLeaves();
    for (const std::string& leaf : key_.leaves) Validate("key-validate", leaf, made_.key);
    Add(plan::StepKind::kDdl, "key-adopt", std::move(adopt), std::move(adopt_back));
    if (!key_.match_full) FillLeaves();
  }

  void AddKeysToLeaves() {
    Texts sql;
    Texts undo;
    for (const std::string& leaf : key_.leaves) {
      sql.push_back(AddKeyTo(leaf) + " NOT VALID");
      undo.push_back(
          fmt::format("ALTER TABLE IF EXISTS {} DROP CONSTRAINT IF EXISTS {}", leaf, made_.key));
    }
    if (!sql.empty()) Add(plan::StepKind::kDdl, "key", std::move(sql), std::move(undo));
  }

  // Each partition is read in a transaction of its own; for the table nothing is left to be read.
  void FillLeaves() {
    AddFill();
    AddCheck();
    for (const std::string& leaf : key_.leaves) Validate("check-validate", leaf, CheckName());
    Validate("check-validate", key_.child, CheckName());
  }

  static void Append(Texts& texts, const Texts& more) {
    texts.insert(texts.end(), more.begin(), more.end());
  }

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
    return AddOf(key_.child_relname, kind, what, std::move(sql), std::move(undo));
  }

  plan::Step& AddOf(const std::string& relname, plan::StepKind kind, const char* what, Texts sql,
                    Texts undo) {
    plan::Step step;
    step.id = fmt::format("widen-{}-{}-{}", what, relname, key_.name);
    // Partitions of one name, in two schemas.
    if (std::ranges::count(made_.steps, step.id, &plan::Step::id) > 0)
      step.id += fmt::format("-{}", made_.steps.size());
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

  [[nodiscard]] Texts Columns() const {
    Texts add;
    for (std::size_t i = 0; i < lacking_.size(); ++i)
      add.push_back(fmt::format("ADD COLUMN {} {}", made_.columns[i], lacking_[i].type));
    return {fmt::format("ALTER TABLE {} {}", key_.child, fmt::join(add, ", "))};
  }

  [[nodiscard]] Texts ColumnsBack() const {
    Texts drop;
    for (const std::string& column : made_.columns)
      drop.push_back(fmt::format("DROP COLUMN IF EXISTS {}", column));
    return {fmt::format("ALTER TABLE IF EXISTS {} {}", key_.child, fmt::join(drop, ", "))};
  }

  [[nodiscard]] Texts Triggers() const {
    const auto differs = [](const Texts& columns) {
      Texts differ;
      for (const std::string& column : columns)
        differ.push_back(fmt::format("OLD.{0} IS DISTINCT FROM NEW.{0}", column));
      return fmt::format("({})", fmt::join(differ, " OR "));
    };
    Texts keys;
    for (const Reference::Column& column : key_.columns) keys.push_back(column.child);
    Texts sql;
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
    // The CHECK holds for what replication and restores write, too.
    for (const char* end : {"_fill", "_keep"})
      sql.push_back(
          fmt::format("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", key_.child, Trigger(end)));
    return sql;
  }

  [[nodiscard]] Texts TriggersBack() const {
    return {fmt::format("DROP TRIGGER IF EXISTS {} ON {}", Trigger("_fill"), key_.child),
            fmt::format("DROP TRIGGER IF EXISTS {} ON {}", Trigger("_keep"), key_.child),
            fmt::format("DROP FUNCTION IF EXISTS {}()", made_.function)};
  }

  // A change of the partition column goes on to the rows that refer.
  [[nodiscard]] std::string AddKeyTo(const std::string& table) const {
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
    return fmt::format(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}){} ON UPDATE "
        "CASCADE{}{}",
        table, made_.key, fmt::join(own, ", "), key_.parent, fmt::join(parents, ", "),
        key_.match_full ? " MATCH FULL" : "", on_delete, deferrable);
  }

  // That of the one of old.
  [[nodiscard]] Texts CommentOnKey() const {
    if (key_.comment.empty()) return {};
    return {fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", made_.key, key_.child,
                        QuoteLiteral(key_.comment))};
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

  [[nodiscard]] std::string CheckName() const { return PartName(Unquoted(made_.key), "_check"); }

  void AddCheck() {
    const std::string filled = EachNew(
        " AND ", [](const std::string& own, const std::string&) { return own + " IS NOT NULL"; });
    Add(plan::StepKind::kDdl, "check",
        {fmt::format("ALTER TABLE {} ADD CONSTRAINT {} CHECK (NOT ({}) OR {}) NOT VALID",
                     key_.child, CheckName(), Refers(""), filled)},
        {fmt::format("ALTER TABLE IF EXISTS {} DROP CONSTRAINT IF EXISTS {}", key_.child,
                     CheckName())});
  }

  // Of a partition, which may be gone by then.
  void Validate(const char* what, const std::string& table, const std::string& constraint) {
    const char* const if_exists = table == key_.child ? "" : "IF EXISTS ";
    Texts sql{fmt::format("ALTER TABLE {}{} VALIDATE CONSTRAINT {}", if_exists, table, constraint)};
    AddOf(Unquoted(table), plan::StepKind::kValidate, what, std::move(sql), {});
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
