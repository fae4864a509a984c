#include "planner/plan/recipes/index.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/steps.h"
#include "planner/sql/requalify.h"

namespace pgalter::plan {

using sql::QuoteIdentifier;

std::optional<IndexText> IndexText::Read(const std::string& statement) {
  const auto words = sql::Words::Read(statement);
  if (!words) return std::nullopt;
  const std::size_t index = words->Find("index");
  const std::size_t on = words->Find("on", index);
  if (on >= words->size()) return std::nullopt;
  IndexText text;
  text.create_ = words->Cut(0, index + 1);
  text.unless_there_ = words->Find("if", index) < on;
  const std::size_t table = words->Is(on + 1, "only") ? on + 2 : on + 1;
  text.definition_ = words->Cut(words->AfterName(table), words->size());
  return text;
}

std::string IndexText::Concurrently(const sql::QualifiedName& table,
                                    const std::string& name) const {
  return fmt::format("{} CONCURRENTLY {}{} ON {} {}", create_,
                     unless_there_ ? "IF NOT EXISTS " : "", QuoteIdentifier(name),
                     sql::ToString(table), definition_);
}

std::string IndexText::OnOnly(const sql::QualifiedName& table, const std::string& name) const {
  return fmt::format("{} {}{} ON ONLY {} {}", create_, unless_there_ ? "IF NOT EXISTS " : "",
                     QuoteIdentifier(name), sql::ToString(table), definition_);
}

std::vector<std::string> ColumnNames::In(std::vector<std::string> columns) const {
  if (!from_.empty()) std::ranges::replace(columns, from_, to_);
  return columns;
}

std::optional<std::string> ColumnNames::In(const std::string& expression) const {
  if (from_.empty()) return expression;
  auto moved = sql::RequalifyColumns(expression, table_, "", {{from_, QuoteIdentifier(to_)}});
  if (!moved) return std::nullopt;
  return *std::move(moved);
}

std::string OptionsText(const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    text += (text.empty() ? "" : ", ") + QuoteIdentifier(name);
    if (!value.empty()) text += " = " + sql::QuoteLiteral(value);
  }
  return text.empty() ? "" : fmt::format("({})", text);
}

std::optional<std::string> LikeIndex(const catalog::Index& index, const IndexPlace& place,
                                     const ColumnNames& columns) {
  std::string keys;
  for (const sql::ast::IndexColumn& column : index.columns) {
    if (!keys.empty()) keys += ", ";
    if (column.expression) {
      const auto expression = columns.In(column.expression->text);
      if (!expression) return std::nullopt;
      keys += fmt::format("({})", *expression);
    } else {
      keys += List(columns.In(std::vector<std::string>{column.column}));
    }
    if (!column.collation.name.empty()) keys += " COLLATE " + sql::ToString(column.collation);
    if (!column.operator_class.name.empty()) keys += " " + sql::ToString(column.operator_class);
    if (!column.operator_class_options.empty())
      keys += " " + OptionsText(column.operator_class_options);
    if (column.descending) keys += " DESC";
    if (column.nulls_first != column.descending)
      keys += column.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  std::string sql = fmt::format("CREATE {}INDEX CONCURRENTLY {} ON {} USING {} ({})",
                                index.unique ? "UNIQUE " : "", QuoteIdentifier(place.name),
                                sql::ToString(place.table), index.method, keys);
  if (!index.included.empty())
    sql += fmt::format(" INCLUDE ({})", List(columns.In(index.included)));
  if (index.nulls_not_distinct) sql += " NULLS NOT DISTINCT";
  if (!index.options.empty()) sql += " WITH " + OptionsText(index.options);
  if (!index.tablespace.empty()) sql += " TABLESPACE " + QuoteIdentifier(index.tablespace);
  if (index.where) {
    const auto where = columns.In(index.where->text);
    if (!where) return std::nullopt;
    sql += " WHERE " + *where;
  }
  return sql;
}

namespace {

// The index of this partition that belongs to the parent's.
const catalog::Index* PartOf(const catalog::Table& partition, const sql::QualifiedName& parent,
                             const catalog::Schema& after) {
  const catalog::Table* table = after.FindTable(partition.name);
  if (table == nullptr) return nullptr;
  for (const catalog::Index& index : table->indexes)
    if (index.parent && after.Resolve(*index.parent) == after.Resolve(parent)) return &index;
  return nullptr;
}

class Walk {
 public:
  Walk(const IndexText& text, const catalog::Schema& before, const catalog::Schema& after,
       Proposal& proposal)
      : text_(text), before_(before), after_(after), proposal_(proposal) {}

  void Leaves(const IndexPlace& at) {
    for (const auto& [partition, index] : Below(at)) {
      if (before_.FindIndex(index) != nullptr) continue;  // one that fits is taken
      if (partition->kind == catalog::TableKind::kPartitioned) {
        Leaves({partition->name, index.name});
      } else {
        proposal_.steps.push_back(
            BuildIndex(text_.Concurrently(partition->name, index.name), index,
                       "The partition's own index, while it is read and written."));
      }
    }
  }

  void Parents(const IndexPlace& at) {
    const sql::QualifiedName own = Beside(at.table, at.name);
    const auto below = Below(at);
    for (const auto& [partition, index] : below)
      if (partition->kind == catalog::TableKind::kPartitioned &&
          before_.FindIndex(index) == nullptr)
        Parents({partition->name, index.name});
    Texts sql = {text_.OnOnly(at.table, at.name)};
    Texts undo = {fmt::format("DROP INDEX IF EXISTS {}", sql::ToString(own))};
    bool again = true;
    for (const auto& [partition, index] : below) {
      sql.push_back(fmt::format("ALTER INDEX {} ATTACH PARTITION {}", sql::ToString(own),
                                sql::ToString(index)));
      // One that was there before goes with the parent's.
      const catalog::Index* there = before_.FindIndex(index);
      if (there == nullptr) continue;
      const auto like = LikeIndex(*there, {partition->name, index.name}, ColumnNames());
      again = again && like && partition->kind != catalog::TableKind::kPartitioned;
      undo.push_back(like.value_or(""));
    }
    const bool builds = undo.size() > 1;
    Step step = Ddl(Phase::kExpand, std::move(sql), again ? std::move(undo) : Texts(),
                    "The parent's index, of what its partitions have: no row is read.");
    if (builds) step.undo_transaction = Transaction::kNone;
    step.point_of_no_return = !again;
    proposal_.steps.push_back(std::move(step));
  }

 private:
  std::vector<std::pair<const catalog::Table*, sql::QualifiedName>> Below(const IndexPlace& at) {
    std::vector<std::pair<const catalog::Table*, sql::QualifiedName>> below;
    const sql::QualifiedName own = Beside(before_.Resolve(at.table), at.name);
    for (const catalog::Table* partition : before_.Partitions(at.table)) {
      if (const catalog::Index* index = PartOf(*partition, own, after_))
        below.emplace_back(partition, index->name);
    }
    return below;
  }

  const IndexText& text_;
  const catalog::Schema& before_;
  const catalog::Schema& after_;
  Proposal& proposal_;
};

}  // namespace

void IndexPartitions(const IndexText& text, const IndexPlace& root, const catalog::Schema& before,
                     const catalog::Schema& after, Proposal& proposal) {
  Walk walk(text, before, after, proposal);
  walk.Leaves(root);
  walk.Parents(root);
}

}  // namespace pgalter::plan
