#include "planner/plan/fingerprint.h"

#include <fmt/format.h>

#include <cstdint>

namespace pgalter::plan {

namespace {

// Parts are kept apart, so that no two lists of them run into one another.
class Hash {
 public:
  void Add(std::string_view part) {
    constexpr std::uint64_t kPrime = 0x100000001b3;  // FNV-1a
    for (const char c : part) state_ = (state_ ^ static_cast<unsigned char>(c)) * kPrime;
    state_ = (state_ ^ 0x1ff) * kPrime;
  }
  void Add(bool flag) { Add(flag ? std::string_view("1") : std::string_view("0")); }
  [[nodiscard]] std::string Text() const { return fmt::format("{:016x}", state_); }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

void AddColumn(const catalog::Column& column, Hash& hash) {
  hash.Add(column.name);
  hash.Add(column.type.schema);
  hash.Add(sql::ast::ToString(column.type));
  hash.Add(column.collation);
  for (const bool flag :
       {column.not_null, column.has_default, column.identity, column.generated, column.local})
    hash.Add(flag);
}

void AddConstraint(const catalog::Constraint& constraint, Hash& hash) {
  const auto& definition = constraint.definition;
  hash.Add(constraint.name);
  hash.Add(fmt::format("{}", static_cast<int>(definition.kind)));
  hash.Add(constraint.valid);
  for (const std::string& column : definition.columns) hash.Add(column);
  if (definition.expression) hash.Add(definition.expression->text);
  if (definition.foreign_key) hash.Add(sql::ToString(definition.foreign_key->target));
}

void AddIndex(const catalog::Index& index, Hash& hash) {
  hash.Add(sql::ToString(index.name));
  hash.Add(index.unique);
  hash.Add(index.valid);
  for (const auto& column : index.columns)
    hash.Add(column.expression ? column.expression->text : column.column);
  if (index.where) hash.Add(index.where->text);
}

}  // namespace

std::string FingerprintOf(const catalog::Schema& schema,
                          const std::vector<sql::QualifiedName>& relations) {
  Hash hash;
  for (const sql::QualifiedName& relation : relations) {
    hash.Add(sql::ToString(relation));
    const catalog::Table* table = schema.FindTable(relation);
    hash.Add(table != nullptr);
    if (table == nullptr) continue;
    hash.Add(fmt::format("{}", static_cast<int>(table->kind)));
    for (const auto& column : table->columns) AddColumn(column, hash);
    for (const auto& constraint : table->constraints) AddConstraint(constraint, hash);
    for (const auto& index : table->indexes) AddIndex(index, hash);
    for (const auto& trigger : table->triggers) hash.Add(trigger.name);
    for (const auto* part : schema.Partitions(relation)) hash.Add(sql::ToString(part->name));
  }
  return hash.Text();
}

}  // namespace pgalter::plan
