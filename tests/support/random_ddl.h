// DDL statements at random, from a seed, about the objects that a schema has: most are of a kind
// that a server takes, some it refuses.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "planner/catalog/schema.h"

namespace pgalter::test {

class RandomDdl {
 public:
  explicit RandomDdl(std::uint64_t seed) : random_(seed) {}

  std::string Next(const catalog::Schema& schema);

 private:
  using Tables = std::vector<const catalog::Table*>;

  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  bool Chance(int percent) { return Below(100) < static_cast<std::size_t>(percent); }
  template <class T>
  const T& OneOf(const std::vector<T>& items) {
    return items[Below(items.size())];
  }
  std::string Maybe(int percent, const std::string& text) { return Chance(percent) ? text : ""; }

  std::string NewName(const char* prefix);
  std::string ColumnName();
  std::string TypeName();
  // Of a table, as SQL; a name that is not there where there is none of that kind.
  const catalog::Table* Pick(const catalog::Schema& schema,
                             const std::vector<catalog::TableKind>& kinds);
  const catalog::Table* PickTable(const catalog::Schema& schema);
  std::string ColumnOf(const catalog::Table& table);
  std::string ColumnList(const catalog::Table& table, std::size_t most);
  std::string TableConstraint(const catalog::Schema& schema, const catalog::Table* table);

  std::string CreateTable(const catalog::Schema& schema);
  std::string ColumnDefinition(const catalog::Schema& schema);
  std::string Partition(const catalog::Schema& schema);
  std::string AlterTable(const catalog::Schema& schema);
  std::string AlterAction(const catalog::Schema& schema, const catalog::Table& table);
  std::string CreateIndex(const catalog::Schema& schema);
  std::string Rename(const catalog::Schema& schema);
  std::string Drop(const catalog::Schema& schema);
  std::string View(const catalog::Schema& schema);
  std::string Type(const catalog::Schema& schema);
  std::string Routine(const catalog::Schema& schema);
  std::string Attach(const catalog::Schema& schema);
  std::string Sequence(const catalog::Schema& schema);

  std::mt19937_64 random_;
  int made_ = 0;
};

}  // namespace pgalter::test
