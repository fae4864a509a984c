#include "engine/catalog/assembly.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/catalog/fragments.h"
#include "engine/catalog/queries.h"

namespace pgalter::live {
namespace {

using catalog::Table;
using catalog::TableKind;
using sql::QualifiedName;
using sql::ast::ConstraintKind;
using sql::ast::ReferentialAction;

using Oid = std::uint32_t;

// One row of a result, read from left to right.
class Cells {
 public:
  Cells(const pg::Result& result, int row) : result_(result), row_(row) {}
  std::string Text() { return result_.Get<std::string>(row_, column_++); }
  bool Flag() { return result_.Get<bool>(row_, column_++); }
  Oid Id() { return result_.Get<std::uint32_t>(row_, column_++); }
  int Number() { return result_.Get<std::int32_t>(row_, column_++); }
  int SmallNumber() { return result_.Get<std::int16_t>(row_, column_++); }
  std::int64_t Count() { return result_.Get<std::int64_t>(row_, column_++); }
  double Estimate() { return result_.Get<double>(row_, column_++); }
  char Letter() {
    const std::string text = Text();
    return text.empty() ? '\0' : text.front();
  }
  QualifiedName Name() {
    std::string schema = Text();
    return {std::move(schema), Text()};
  }
  // "1 3 0"
  std::vector<int> Numbers() {
    const std::string_view text = result_.Bytes(row_, column_++);
    std::vector<int> numbers;
    for (const char *at = text.data(), *end = at + text.size(); at < end; ++at) {
      int number = 0;
      at = std::from_chars(at, end, number).ptr;
      numbers.push_back(number);
    }
    return numbers;
  }
  // Several, with a unit separator between them.
  std::vector<std::string> Texts() {
    const std::string text = Text();
    std::vector<std::string> texts;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\x1f', at), text.size());
      texts.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return texts;
  }

 private:
  const pg::Result& result_;
  int row_;
  int column_ = 0;
};

std::string IdentityOf(char letter) {
  if (letter == 'f') return "full";
  if (letter == 'n') return "nothing";
  return letter == 'i' ? "index" : "default";
}

TableKind KindOf(char letter) {
  switch (letter) {
    case 'p':
      return TableKind::kPartitioned;
    case 'f':
      return TableKind::kForeign;
    case 'v':
      return TableKind::kView;
    case 'm':
      return TableKind::kMaterializedView;
    case 'S':
      return TableKind::kSequence;
    default:
      return TableKind::kTable;
  }
}

ConstraintKind ConstraintKindOf(char letter) {
  switch (letter) {
    case 'f':
      return ConstraintKind::kForeignKey;
    case 'p':
      return ConstraintKind::kPrimaryKey;
    case 'u':
      return ConstraintKind::kUnique;
    case 'x':
      return ConstraintKind::kExclude;
    case 'n':
      return ConstraintKind::kNotNull;
    default:
      return ConstraintKind::kCheck;
  }
}

ReferentialAction ActionOf(char letter) {
  switch (letter) {
    case 'r':
      return ReferentialAction::kRestrict;
    case 'c':
      return ReferentialAction::kCascade;
    case 'n':
      return ReferentialAction::kSetNull;
    case 'd':
      return ReferentialAction::kSetDefault;
    default:
      return ReferentialAction::kNoAction;
  }
}

class Assembler {
 public:
  explicit Assembler(const std::vector<pg::Result>& results) : results_(results) {}

  catalog::Schema Run(const pg::Result& sizes) {
    Each(Part::kSchemas, [&](Cells row) { schema_.AddSchema(row.Text()); });
    Each(Part::kExtensions, [&](Cells row) { schema_.AddExtension(row.Text()); });
    Each(Part::kTablespace, [&](Cells row) { schema_.SetTablespace(row.Text()); });
    Each(Part::kRelations, [&](Cells row) { AddRelation(row); });
    Each(Part::kColumns, [&](Cells row) { AddColumn(row); });
    Each(Part::kIndexes, [&](Cells row) { AddIndex(row); });
    Each(Part::kParents, [&](Cells row) { AddParent(row); });
    AddTypes();
    Each(Part::kConstraints, [&](Cells row) { AddConstraint(row); });
    AddRest();
    AddSizes(sizes);
    Each(Part::kFunctions, [&](Cells row) { AddFunction(row); });
    for (auto& [oid, table] : tables_) schema_.Add(std::move(table));
    for (auto& [oid, domain] : domains_) schema_.Add(std::move(domain));
    for (auto& [oid, type] : types_) schema_.Add(std::move(type));
    schema_.SetComplete();
    return std::move(schema_);
  }

 private:
  template <class Action>
  void Each(Part part, const Action& action) {
    const pg::Result& result = results_.at(static_cast<std::size_t>(part));
    for (int row = 0; row < result.rows(); ++row) action(Cells(result, row));
  }
  // Of a table: nullptr where it came into being between two of the queries.
  Table* Find(Oid oid) {
    const auto found = tables_.find(oid);
    return found == tables_.end() ? nullptr : &found->second;
  }
  std::string ColumnName(Oid table, int number) {
    const auto found = columns_.find({table, number});
    return found == columns_.end() ? std::string() : found->second;
  }
  std::vector<std::string> ColumnNames(Oid table, const std::vector<int>& numbers) {
    std::vector<std::string> names;
    for (const int number : numbers) names.push_back(ColumnName(table, number));
    return names;
  }

  void AddRelation(Cells row);
  void AddColumn(Cells row);
  void AddIndex(Cells row);
  void AddParent(Cells row);
  void AddTypes();
  void AddConstraint(Cells row);
  void AddRest();
  void AddSizes(const pg::Result& sizes);
  void AddFunction(Cells row);

  const std::vector<pg::Result>& results_;
  catalog::Schema schema_;
  TypeReader types_reader_;
  std::map<Oid, Table> tables_;
  std::map<Oid, catalog::Domain> domains_;
  std::map<Oid, catalog::Type> types_;
  std::map<std::pair<Oid, int>, std::string> columns_;                // their names
  std::unordered_map<Oid, std::vector<catalog::Column>> composites_;  // by their relation
  std::unordered_map<Oid, std::pair<Oid, std::size_t>>
      indexes_;  // to the table and the place in it
  std::unordered_map<Oid, Oid> partition_of_;
};

void Assembler::AddRelation(Cells row) {
  const Oid oid = row.Id();
  Table table;
  table.name = row.Name();
  table.kind = KindOf(row.Letter());
  if (row.Letter() == 'u') table.persistence = sql::ast::Persistence::kUnlogged;
  table.row_security = row.Flag();
  table.owner = row.Text();
  table.tablespace = row.Text();
  table.access_method = row.Text();
  if (table.access_method == "heap") table.access_method.clear();
  const std::string bound = row.Text();
  const std::string key = row.Text();
  if (!bound.empty()) table.bound = ReadBound(bound);
  if (!key.empty()) table.partition_by = ReadPartitionKey(key);
  const std::string type_schema = row.Text();
  const std::string type = row.Text();
  if (!type.empty()) table.of_type = type_schema + '.' + type;
  // Never counted: -1, and 0 before PostgreSQL 14.
  const double rows = row.Estimate();
  if (rows > 0) table.rows = static_cast<std::int64_t>(rows);
  table.replica_identity = IdentityOf(row.Letter());
  table.complete = true;
  tables_.emplace(oid, std::move(table));
}

void Assembler::AddColumn(Cells row) {
  const Oid relation = row.Id();
  const int number = row.SmallNumber();
  catalog::Column column;
  column.name = row.Text();
  column.type = types_reader_.Read(row.Text());
  column.not_null = row.Flag();
  column.has_default = row.Flag();
  column.identity = row.Flag();
  const char generated = row.Letter();
  column.generated = generated != '\0';
  column.generated_virtual = generated == 'v';
  if (const std::string expression = row.Text(); !expression.empty())
    column.generated_from = ReadColumns(expression);
  column.collation = row.Text();
  column.local = row.Flag();
  column.default_value = row.Text();
  column.statistics = row.Text();
  columns_.emplace(std::pair(relation, number), column.name);
  if (Table* table = Find(relation)) {
    table->columns.push_back(std::move(column));
  } else {
    composites_[relation].push_back(std::move(column));
  }
}

void Assembler::AddIndex(Cells row) {
  const Oid oid = row.Id();
  const Oid relation = row.Id();
  Table* table = Find(relation);
  if (table == nullptr) return;
  catalog::Index index;
  index.name = row.Name();
  index.unique = row.Flag();
  index.valid = row.Flag();
  index.method = row.Text();
  const std::vector<std::string> columns = ColumnNames(relation, row.Numbers());
  const auto in_key = static_cast<std::size_t>(row.SmallNumber());
  const std::vector<int> options = row.Numbers();
  index.constraint = row.Flag();
  const std::string text = row.Text();
  std::optional<sql::ast::CreateIndex> rendered;
  if (!text.empty()) rendered = ReadIndex(text);
  if (rendered) {
    index.columns = std::move(rendered->columns);
    index.included = std::move(rendered->included);
    index.where = std::move(rendered->where);
  } else {
    constexpr int kDescending = 1;  // INDOPTION_DESC and INDOPTION_NULLS_FIRST
    constexpr int kNullsFirst = 2;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i >= in_key) {
        index.included.push_back(columns[i]);
        continue;
      }
      sql::ast::IndexColumn part;
      part.column = columns[i];
      const int option = i < options.size() ? options[i] : 0;
      part.descending = (option & kDescending) != 0;
      part.nulls_first = (option & kNullsFirst) != 0;
      index.columns.push_back(std::move(part));
    }
  }
  index.nulls_not_distinct = row.Flag();
  index.tablespace = row.Text();
  for (const std::string& option : row.Texts()) {
    const std::size_t equals = std::min(option.find('='), option.size());
    index.options[option.substr(0, equals)] =
        equals < option.size() ? option.substr(equals + 1) : "";
  }
  indexes_.emplace(oid, std::pair(relation, table->indexes.size()));
  table->indexes.push_back(std::move(index));
}

void Assembler::AddParent(Cells row) {
  const Oid child = row.Id();
  const Oid parent = row.Id();
  if (const auto own = indexes_.find(child); own != indexes_.end()) {
    const auto whole = indexes_.find(parent);
    if (whole == indexes_.end()) return;
    const auto& [whole_table, whole_place] = whole->second;
    const auto& [own_table, own_place] = own->second;
    tables_.at(own_table).indexes.at(own_place).parent =
        tables_.at(whole_table).indexes.at(whole_place).name;
    return;
  }
  Table* table = Find(child);
  const Table* above = Find(parent);
  if (table == nullptr || above == nullptr) return;
  if (above->kind == TableKind::kPartitioned) {
    table->parent = above->name;
    partition_of_.emplace(child, parent);
  } else {
    table->inherits.push_back(above->name);
  }
}

void Assembler::AddTypes() {
  using Shape = sql::ast::CreateType::Shape;
  Each(Part::kTypes, [&](Cells row) {
    const Oid oid = row.Id();
    QualifiedName name = row.Name();
    const char kind = row.Letter();
    const Oid relation = row.Id();
    const std::string base = row.Text();
    if (kind == 'd') {
      catalog::Domain domain;
      domain.name = std::move(name);
      domain.base = types_reader_.Read(base);
      domain.not_null = row.Flag();
      domain.has_default = row.Flag();
      domains_.emplace(oid, std::move(domain));
      return;
    }
    catalog::Type type;
    type.name = std::move(name);
    type.shape = kind == 'e'   ? Shape::kEnum
                 : kind == 'c' ? Shape::kComposite
                 : kind == 'r' ? Shape::kRange
                 : kind == 's' ? Shape::kShell
                               : Shape::kBase;
    if (const auto found = composites_.find(relation); found != composites_.end())
      type.attributes = std::move(found->second);
    types_.emplace(oid, std::move(type));
  });
  Each(Part::kEnumValues, [&](Cells row) {
    const auto found = types_.find(row.Id());
    if (found != types_.end()) found->second.values.push_back(row.Text());
  });
}

void Assembler::AddConstraint(Cells row) {
  const Oid relation = row.Id();
  const Oid type = row.Id();
  catalog::Constraint constraint;
  constraint.name = row.Text();
  const ConstraintKind kind = ConstraintKindOf(row.Letter());
  constraint.valid = row.Flag();
  sql::ast::Constraint definition;
  definition.deferrable = row.Flag();
  definition.initially_deferred = row.Flag();
  definition.no_inherit = row.Flag() && kind == ConstraintKind::kCheck;
  constraint.local = row.Flag();
  constraint.parent = row.Text();
  const Oid target = row.Id();
  const ReferentialAction on_update = ActionOf(row.Letter());
  const ReferentialAction on_delete = ActionOf(row.Letter());
  definition.columns = ColumnNames(relation, row.Numbers());
  const std::vector<int> target_columns = row.Numbers();
  const std::string text = row.Text();
  if (auto check = text.empty() ? std::nullopt : ReadCheck(text))
    definition.expression = std::move(check->expression);
  definition.not_enforced = !row.Flag();
  const bool match_full = row.Flag();
  const std::vector<int> set_columns = row.Numbers();
  definition.kind = kind;
  definition.name = constraint.name;
  definition.not_valid = !constraint.valid;
  if (type != 0) {
    // NOT NULL of a domain is a flag of the domain, with or without a constraint for it.
    const auto domain = domains_.find(type);
    if (domain != domains_.end() && kind == ConstraintKind::kCheck)
      domain->second.constraints.push_back(std::move(definition));
    return;
  }
  Table* table = Find(relation);
  if (table == nullptr) return;
  if (kind == ConstraintKind::kForeignKey) {
    const Table* pointed_at = Find(target);
    if (pointed_at == nullptr) return;
    definition.foreign_key.emplace();
    definition.foreign_key->target = pointed_at->name;
    definition.foreign_key->target_columns = ColumnNames(target, target_columns);
    definition.foreign_key->on_update = on_update;
    definition.foreign_key->on_delete = on_delete;
    definition.foreign_key->match_full = match_full;
    definition.foreign_key->set_columns = ColumnNames(relation, set_columns);
  } else {
    constraint.parent.clear();
  }
  if (const catalog::Index* index = table->FindIndex(constraint.name);
      index != nullptr && index->constraint) {
    definition.included = index->included;
    definition.nulls_not_distinct = index->nulls_not_distinct;
    definition.index_options = index->options;
    definition.index_tablespace = index->tablespace;
    if (kind == ConstraintKind::kExclude) definition.expression = index->where;
  }
  constraint.definition = std::move(definition);
  table->constraints.push_back(std::move(constraint));
}

void Assembler::AddRest() {
  Each(Part::kTriggers, [&](Cells row) {
    const Oid relation = row.Id();
    Table* table = Find(relation);
    if (table == nullptr) return;
    catalog::Trigger trigger;
    trigger.name = row.Text();
    trigger.columns = ColumnNames(relation, row.Numbers());
    trigger.function = row.Name();
    if (const std::string text = row.Text(); !text.empty())
      trigger.columns_read = ReadTriggerColumns(text);
    table->triggers.push_back(std::move(trigger));
  });
  Each(Part::kPolicies, [&](Cells row) {
    if (Table* table = Find(row.Id())) table->policies.push_back(row.Text());
  });
  Each(Part::kPolicyReads, [&](Cells row) {
    if (Table* table = Find(row.Id())) table->policy_columns.push_back(row.Text());
  });
  Each(Part::kRules, [&](Cells row) {
    if (Table* table = Find(row.Id())) table->rules.push_back(row.Text());
  });
  Each(Part::kViewReads, [&](Cells row) {
    Table* view = Find(row.Id());
    if (view == nullptr) return;
    const QualifiedName name = row.Name();
    const std::string column = row.Text();
    if (std::ranges::find(view->reads, name) == view->reads.end()) view->reads.push_back(name);
    if (!column.empty()) view->view_columns.push_back({*name.schema, name.name, column, false});
  });
  Each(Part::kSequences, [&](Cells row) {
    Table* sequence = Find(row.Id());
    if (sequence == nullptr) return;
    sequence->owned_by = row.Name();
    sequence->owned_by_column = row.Text();
  });
}

void Assembler::AddSizes(const pg::Result& sizes) {
  for (int i = 0; i < sizes.rows(); ++i) {
    if (sizes.IsNull(i, 1)) continue;
    Cells row(sizes, i);
    Table* table = Find(row.Id());
    if (table == nullptr) continue;
    table->bytes = row.Count();
    if (*table->bytes == 0) table->rows = 0;
  }
  // A partitioned table has no rows of its own; where a leaf's are not known, neither is the sum.
  for (auto& [oid, table] : tables_) {
    if (table.kind != TableKind::kPartitioned) continue;
    table.rows = 0;
    table.bytes = 0;
  }
  constexpr int kMostLevels = 64;
  for (const auto& [oid, table] : tables_) {
    if (table.kind == TableKind::kPartitioned) continue;
    auto above = partition_of_.find(oid);
    for (int level = 0; level < kMostLevels && above != partition_of_.end(); ++level) {
      Table& parent = tables_.at(above->second);
      if (parent.rows && table.rows) *parent.rows += *table.rows;
      if (parent.bytes && table.bytes) *parent.bytes += *table.bytes;
      if (!table.rows) parent.rows.reset();
      if (!table.bytes) parent.bytes.reset();
      above = partition_of_.find(above->second);
    }
  }
}

void Assembler::AddFunction(Cells row) {
  using sql::ast::Volatility;
  catalog::Function function;
  function.name = row.Name();
  function.arguments = row.SmallNumber();
  function.optional_arguments = row.SmallNumber();
  const char volatility = row.Letter();
  function.volatility = volatility == 'i'   ? Volatility::kImmutable
                        : volatility == 's' ? Volatility::kStable
                                            : Volatility::kVolatile;
  function.language = row.Text();
  function.body = row.Text();
  for (const std::string& type : row.Texts()) function.types.push_back(types_reader_.Read(type));
  schema_.Add(std::move(function));
}

}  // namespace

catalog::Schema Assemble(const std::vector<pg::Result>& results, const pg::Result& sizes) {
  return Assembler(results).Run(sizes);
}

}  // namespace pgalter::live
