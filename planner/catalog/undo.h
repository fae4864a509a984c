#pragma once

// What an open transaction has changed in a Schema, so that it can be taken back: of each object
// that is touched, how it was before. Private to planner/catalog.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "planner/catalog/objects.h"

namespace pgalter::catalog {

// The objects of one kind, by their key in the schema; none: there was no such object.
template <class Object>
class Before {
 public:
  template <class Objects>
  void Note(const Objects& objects, const std::string& key) {
    const auto [place, added] = kept_.try_emplace(key);
    if (!added) return;
    if (const auto found = objects.find(key); found != objects.end()) place->second = found->second;
  }
  // What happened in a level below counts as having happened here.
  void Merge(Before below) { kept_.merge(below.kept_); }

  [[nodiscard]] const std::map<std::string, std::optional<Object>>& kept() const { return kept_; }

 private:
  std::map<std::string, std::optional<Object>> kept_;
};

// One for the transaction, one for each savepoint.
struct UndoLevel {
  std::string savepoint;  // empty: the transaction's own
  Before<Table> tables;
  Before<Domain> domains;
  Before<Type> types;
  Before<std::vector<Function>> functions;
  std::set<std::string> schemas;
  std::vector<std::string> search_path;

  void Merge(UndoLevel below) {
    tables.Merge(std::move(below.tables));
    domains.Merge(std::move(below.domains));
    types.Merge(std::move(below.types));
    functions.Merge(std::move(below.functions));
  }
};

}  // namespace pgalter::catalog
