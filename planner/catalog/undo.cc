// Transactions: what was is kept while one is open, and comes back with ROLLBACK.

#include <algorithm>

#include "planner/catalog/key.h"
#include "planner/catalog/schema.h"

namespace pgalter::catalog {
namespace {

template <class Objects, class Object>
void Restore(Objects& objects, const Before<Object>& before) {
  for (const auto& [key, object] : before.kept()) {
    if (object) {
      objects.insert_or_assign(key, *object);
    } else {
      objects.erase(key);
    }
  }
}

}  // namespace

void Schema::NoteTable(const std::string& key) {
  if (!undo_.empty()) undo_.back().tables.Note(tables_, key);
  if (in_run_ && (new_tables_.empty() || new_tables_.back() != key)) new_tables_.push_back(key);
}

void Schema::NoteDomain(const std::string& key) {
  if (!undo_.empty()) undo_.back().domains.Note(domains_, key);
  if (in_run_) new_types_.push_back(key);
}

void Schema::NoteType(const std::string& key) {
  if (!undo_.empty()) undo_.back().types.Note(types_, key);
  if (in_run_) new_types_.push_back(key);
}

void Schema::NoteFunctions(const std::string& name) {
  if (!undo_.empty()) undo_.back().functions.Note(functions_, name);
  if (in_run_) new_functions_.push_back(name);
}

void Schema::BeginTransaction() {
  undo_.emplace_back();
  undo_.back().schemas = schemas_;
  undo_.back().search_path = search_path_;
}

void Schema::Rollback(std::size_t level) {
  while (undo_.size() > level) {
    const UndoLevel before = std::move(undo_.back());
    undo_.pop_back();
    // All out before any is put back: edges are by name, and names may have changed hands.
    for (const auto& [key, table] : before.tables.kept()) {
      const auto found = tables_.find(key);
      if (found == tables_.end()) continue;
      Unlink(key, found->second);
      tables_.erase(found);
    }
    for (const auto& [key, table] : before.tables.kept()) {
      if (!table) continue;
      const auto place = tables_.emplace(key, *table).first;
      Link(key, place->second);
    }
    Restore(domains_, before.domains);
    Restore(types_, before.types);
    Restore(functions_, before.functions);
    schemas_ = before.schemas;
    search_path_ = before.search_path;
  }
}

}  // namespace pgalter::catalog
