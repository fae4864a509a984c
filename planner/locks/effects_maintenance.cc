#include <algorithm>

#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

using catalog::TableKind;

// The version since which VACUUM and ANALYZE go on to the tables that inherit.
constexpr int kVacuumsChildren = 18;

bool IsPartitioned(const catalog::Table* table) {
  return table != nullptr && table->kind == TableKind::kPartitioned;
}

// A table that others inherit from is reindexed by itself.
std::vector<const catalog::Table*> PartsOf(const catalog::Table& table, const Draft& draft) {
  if (!IsPartitioned(&table)) return {};
  return Descendants(draft.schema(), table.name);
}

// CONCURRENTLY, too, has all partitions, or their parts of the index, locked in SHARE for a moment,
// before it begins with the first (ReindexPartitions in src/backend/commands/indexcmds.c): a
// transaction that has written to one of them keeps writers of all waiting until its end.
void TakeParts(const QualifiedName& index, const catalog::Table& table, Draft& draft) {
  for (const catalog::Table* partition : draft.schema().Partitions(table.name)) {
    for (const catalog::Index& part : partition->indexes) {
      if (!part.parent || draft.schema().Resolve(*part.parent) != index) continue;
      draft.TakeIndex(part.name, LockMode::kShare);
      TakeParts(draft.schema().Resolve(part.name), *partition, draft);
    }
  }
}

void Build(const QualifiedName& name, const catalog::Table* table, Draft& draft,
           const std::string& index = "") {
  if (IsPartitioned(table)) {
    draft.DoTree(Work::Kind::kBuild, name, Reason::kReindex, index);
  } else {
    draft.Do(Work::Kind::kBuild, name, Reason::kReindex, index);
  }
}

void ReindexIndex(const ast::Reindex& reindex, Draft& draft) {
  const catalog::Table* table = draft.schema().TableOfIndex(reindex.name);
  const QualifiedName index = draft.schema().Resolve(reindex.name);
  if (table == nullptr && draft.schema().complete()) {
    draft.Refuse(Refusal::kUnknownObject, Show(index), "there is no index " + Show(index));
    return;
  }
  if (IsPartitioned(table)) draft.SetOutsideTransaction();
  draft.TakeIndex(
      index, reindex.concurrently ? LockMode::kShareUpdateExclusive : LockMode::kAccessExclusive);
  if (table == nullptr) return Build(index, nullptr, draft, index.name);
  const auto mode = reindex.concurrently ? LockMode::kShareUpdateExclusive : LockMode::kShare;
  draft.Take(table->name, mode);
  for (const catalog::Table* part : PartsOf(*table, draft)) draft.Take(part->name, mode);
  if (reindex.concurrently && IsPartitioned(table)) TakeParts(index, *table, draft);
  Build(table->name, table, draft, index.name);
}

void ReindexTable(const catalog::Table* table, const QualifiedName& name,
                  const ast::Reindex& reindex, Draft& draft) {
  const bool alone = reindex.concurrently;
  draft.Take(name, alone ? LockMode::kShareUpdateExclusive : LockMode::kShare);
  if (table == nullptr) return Build(name, nullptr, draft);
  if (IsPartitioned(table)) draft.SetOutsideTransaction();
  const auto take_indexes = [&](const catalog::Table& of) {
    for (const catalog::Index& index : of.indexes)
      draft.TakeIndex(index.name,
                      alone ? LockMode::kShareUpdateExclusive : LockMode::kAccessExclusive);
  };
  take_indexes(*table);
  for (const catalog::Table* part : PartsOf(*table, draft)) {
    draft.Take(part->name, LockMode::kShare);
    take_indexes(*part);
  }
  if (table->complete && table->indexes.empty() && !IsPartitioned(table)) return;
  Build(name, table, draft);
}

bool HasFile(const catalog::Table& table) {
  return table.kind == TableKind::kTable || table.kind == TableKind::kMaterializedView;
}

void RewriteAll(const QualifiedName& name, Reason reason, Draft& draft) {
  draft.TakeTree(name, LockMode::kAccessExclusive);
  draft.DoTree(Work::Kind::kRewrite, name, reason);
}

}  // namespace

void Form(const ast::Reindex& reindex, Draft& draft) {
  if (reindex.moves_tablespace) draft.Needs(14, "REINDEX (TABLESPACE …)");
  if (reindex.concurrently) draft.SetOutsideTransaction();
  switch (reindex.kind) {
    case ast::ReindexKind::kIndex:
      return ReindexIndex(reindex, draft);
    case ast::ReindexKind::kTable: {
      const catalog::Table* table = draft.schema().FindTable(reindex.name);
      return ReindexTable(table, reindex.name, reindex, draft);
    }
    case ast::ReindexKind::kSchema:
      draft.SetOutsideTransaction();
      for (const catalog::Table* table : draft.schema().TablesIn(reindex.name.name))
        if (HasFile(*table)) ReindexTable(table, table->name, reindex, draft);
      return;
    case ast::ReindexKind::kDatabase:
    case ast::ReindexKind::kSystem:
      draft.SetOutsideTransaction();
      if (reindex.name.name.empty()) draft.Needs(16, "REINDEX without the name of the database");
      if (reindex.kind == ast::ReindexKind::kSystem) {
        if (reindex.concurrently)
          draft.Refuse(Refusal::kOther, "SYSTEM",
                       "system catalogs cannot be reindexed CONCURRENTLY");
        return;
      }
      for (const auto& [key, table] : draft.schema().tables())
        if (HasFile(table)) ReindexTable(&table, table.name, reindex, draft);
      return;
  }
}

void Form(const ast::Cluster& cluster, Draft& draft) {
  if (!cluster.table) {
    draft.SetOutsideTransaction();
    return;
  }
  const catalog::Table* table = draft.schema().FindTable(*cluster.table);
  if (IsPartitioned(table)) {
    draft.Needs(15, "CLUSTER of a partitioned table");
    draft.SetOutsideTransaction();
  }
  RewriteAll(*cluster.table, Reason::kCluster, draft);
}

void Form(const ast::Vacuum& vacuum, Draft& draft) {
  if (!vacuum.only_analyze) draft.SetOutsideTransaction();
  for (const QualifiedName& name : vacuum.tables) {
    if (vacuum.full) {
      RewriteAll(name, Reason::kVacuumFull, draft);
    } else if (IsPartitioned(draft.schema().FindTable(name)) ||
               draft.version() >= kVacuumsChildren) {
      draft.TakeTree(name, LockMode::kShareUpdateExclusive);
    } else {
      // Statistics of the whole need samples of those that inherit.
      if (vacuum.analyze || vacuum.only_analyze) draft.TakeTree(name, LockMode::kAccessShare);
      draft.Take(name, LockMode::kShareUpdateExclusive);
    }
  }
  if (!vacuum.full || !vacuum.tables.empty()) return;
  for (const auto& [key, table] : draft.schema().tables()) {
    if (!HasFile(table)) continue;
    draft.Take(table.name, LockMode::kAccessExclusive);
    draft.Do(Work::Kind::kRewrite, table.name, Reason::kVacuumFull);
  }
}

void Form(const ast::RefreshMaterializedView& refresh, Draft& draft) {
  const catalog::Table* view = draft.schema().FindTable(refresh.name);
  if (view == nullptr && draft.schema().complete()) {
    draft.Refuse(Refusal::kUnknownObject, Show(refresh.name),
                 "there is no materialized view " + Show(refresh.name));
    return;
  }
  if (view != nullptr && refresh.with_data) {
    for (const QualifiedName& table : view->reads) {
      draft.TakeTree(table, LockMode::kAccessShare);
      if (Work* work = draft.DoTree(Work::Kind::kScan, table, Reason::kRows))
        Doubt(*work, "how much of the table is read is the planner's choice");
    }
  }
  if (refresh.concurrently) {
    draft.Take(refresh.name, LockMode::kExclusive);
    draft.Do(Work::Kind::kScan, refresh.name, Reason::kRefresh);
    const auto fit = [](const catalog::Index& index) { return index.unique && !index.where; };
    // The statement that made it was seen: so were those that made its indexes.
    const bool shown =
        view != nullptr && (view->complete || draft.schema().complete() ||
                            (view->kind == TableKind::kMaterializedView && !view->reads.empty()));
    if (shown && std::ranges::none_of(view->indexes, fit))
      draft.Refuse(Refusal::kOther, Show(refresh.name),
                   "CONCURRENTLY needs a unique index without WHERE on " + Show(refresh.name));
    return;
  }
  draft.Take(refresh.name, LockMode::kAccessExclusive);
  draft.Do(Work::Kind::kRewrite, refresh.name, Reason::kRefresh);
}

void Form(const ast::Truncate& truncate, Draft& draft) {
  std::vector<QualifiedName> tables;
  const auto add = [&](const QualifiedName& name) {
    const QualifiedName resolved = draft.schema().Resolve(name);
    if (std::ranges::find(tables, resolved) == tables.end()) tables.push_back(resolved);
  };
  const auto add_tree = [&](const QualifiedName& name) {
    add(name);
    for (const catalog::Table* table : Descendants(draft.schema(), name)) add(table->name);
  };
  for (const QualifiedName& name : truncate.tables) {
    draft.TakeTree(name, LockMode::kAccessExclusive);
    draft.DoTree(Work::Kind::kRewrite, name, Reason::kTruncate);
    add_tree(name);
  }
  const std::size_t named = tables.size();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const QualifiedName at = tables[i];
    for (const auto& [table, reference] : draft.schema().References(at)) {
      if (std::ranges::find(tables, table->name) != tables.end()) continue;
      if (!truncate.cascade) {
        if (i < named)
          draft.Refuse(
              Refusal::kDependants, Show(at),
              "foreign key " + reference->name + " of " + Show(table->name) + " points at it");
        continue;
      }
      draft.TakeTree(table->name, LockMode::kAccessExclusive);
      draft.DoTree(Work::Kind::kRewrite, table->name, Reason::kTruncate);
      add_tree(table->name);
    }
  }
}

void Form(const ast::LockTable& lock, Draft& draft) {
  std::vector<QualifiedName> tables = lock.tables;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    draft.TakeTree(tables[i], lock.mode);
    const catalog::Table* table = draft.schema().FindTable(tables[i]);
    if (table == nullptr || table->kind != TableKind::kView) continue;
    for (const QualifiedName& read : table->reads)
      if (std::ranges::find(tables, read) == tables.end()) tables.push_back(read);
  }
}

// Everything in a tablespace: the schema tells only of the tables that say where they are.
void Form(const ast::MoveTablespace& move, Draft& draft) {
  if (move.kind == ast::RelationKind::kIndex || move.from == move.to) return;
  const bool views = move.kind == ast::RelationKind::kMaterializedView;
  for (const auto& [key, table] : draft.schema().tables()) {
    const bool wanted = table.kind == (views ? TableKind::kMaterializedView : TableKind::kTable);
    if (!wanted || table.tablespace != move.from) continue;
    draft.Take(table.name, LockMode::kAccessExclusive);
    draft.Do(Work::Kind::kRewrite, table.name, Reason::kTablespace, move.to);
  }
}

}  // namespace pgalter::locks
