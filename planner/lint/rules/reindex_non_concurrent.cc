#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using sql::ast::ReindexKind;

std::string_view KeywordOf(ReindexKind kind) {
  switch (kind) {
    case ReindexKind::kIndex:
      return "INDEX";
    case ReindexKind::kTable:
      return "TABLE";
    case ReindexKind::kSchema:
      return "SCHEMA";
    case ReindexKind::kDatabase:
      return "DATABASE";
    case ReindexKind::kSystem:
      break;
  }
  return "SYSTEM";
}

// Of a single index or table; nullopt: of many, or of an unknown index.
std::optional<catalog::QualifiedName> TableOf(const Context& context,
                                              const sql::ast::Reindex& reindex) {
  if (reindex.kind == ReindexKind::kTable) return reindex.name;
  if (reindex.kind != ReindexKind::kIndex) return std::nullopt;
  const catalog::Table* table = context.schema.TableOfIndex(reindex.name);
  if (table == nullptr) return std::nullopt;
  return table->name;
}

void CheckConcurrent(const Context& context, const catalog::QualifiedName& name,
                     const Reporter& report) {
  const catalog::Table* table = context.schema.FindTable(name);
  if (table == nullptr || table->kind != catalog::TableKind::kPartitioned) return;
  Remark remark;
  const std::string shown = Context::Show(name);
  remark.message = fmt::format(
      "REINDEX CONCURRENTLY of the partitioned {} locks all partitions against writers before it "
      "begins: behind one long transaction everybody waits who writes to any of them",
      shown);
  remark.remedy = "REINDEX CONCURRENTLY of each partition, or of its index, one after the other.";
  remark.severity = Severity::kWarning;
  remark.lock = LockTaken{locks::LockMode::kShare, fmt::format("the partitions of {}", shown)};
  report(std::move(remark));
}

void Check(const Context& context, const Reporter& report) {
  const auto* reindex = context.statement.As<sql::ast::Reindex>();
  if (reindex == nullptr) return;
  const auto table = TableOf(context, *reindex);
  if (table && !context.Existing(*table)) return;
  if (reindex->concurrently) {
    if (table) CheckConcurrent(context, *table, report);
    return;
  }
  const std::string of = table ? Context::Show(*table) : "the tables concerned";
  Remark remark;
  remark.message = fmt::format("REINDEX {} keeps everybody from {} until the indexes are built",
                               KeywordOf(reindex->kind), of);
  remark.table_scan = true;
  if (table) {
    remark.lock = LockTaken{locks::LockMode::kShare, of};
    if (context.Small(*table)) remark.severity = Severity::kNote;
  }
  if (reindex->kind == ReindexKind::kSystem)
    remark.remedy = "System catalogs have no concurrent form: do it in a maintenance window.";
  else
    remark.fix = AddConcurrently(context, KeywordOf(reindex->kind));
  report(std::move(remark));
}

}  // namespace

constinit const Rule kReindexNonConcurrent{
    .id = "reindex-non-concurrent",
    .title = "REINDEX without CONCURRENTLY",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "SHARE on the table and ACCESS EXCLUSIVE on its indexes for the whole build. Writes wait, "
        "and so do reads: the planner opens every index of the table.",
    .remedy = "REINDEX … CONCURRENTLY, outside of a transaction.",
    .check = &Check};

}  // namespace pgalter::lint
