#include <algorithm>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

bool HasIdentity(const catalog::Table& table) {
  return table.replica_identity == "full" || table.replica_identity == "index";
}

bool HasNoKey(const Context& context, const catalog::Table& table) {
  using catalog::TableKind;
  return (table.kind == TableKind::kTable || table.kind == TableKind::kPartitioned) &&
         table.complete && InUse(context, table.name) &&
         table.persistence == sql::ast::Persistence::kPermanent && !table.parent &&
         table.PrimaryKey() == nullptr && !HasIdentity(table);
}

// A table in use that would be published and has nothing to name its rows by.
std::string Keyless(const Context& context, const sql::ast::Publication& publication) {
  // WITH (publish = …) may leave UPDATE and DELETE out.
  if (context.text.find("publish ") != std::string_view::npos ||
      context.text.find("publish=") != std::string_view::npos ||
      context.statement.tag != "CREATE PUBLICATION")
    return {};
  if (publication.all_tables) {
    for (const auto& [key, table] : context.schema.tables())
      if (HasNoKey(context, table)) return Context::Show(table.name);
  }
  for (const catalog::QualifiedName& name : publication.tables) {
    const catalog::Table* table = context.schema.FindTable(name);
    if (table != nullptr && HasNoKey(context, *table)) return Context::Show(name);
  }
  return {};
}

bool AllKnown(const Context& context, const sql::ast::Publication& publication) {
  return !publication.all_tables && !publication.tables.empty() &&
         std::ranges::all_of(publication.tables, [&](const catalog::QualifiedName& name) {
           const catalog::Table* table = context.schema.FindTable(name);
           return table != nullptr && table->complete;
         });
}

void Check(const Context& context, const Reporter& report) {
  using sql::ast::ObjectKind;
  const auto* publication = context.statement.As<sql::ast::Publication>();
  const auto* drop = context.statement.As<sql::ast::Drop>();
  Remark remark;
  if (drop != nullptr &&
      (drop->kind == ObjectKind::kPublication || drop->kind == ObjectKind::kSubscription)) {
    remark.severity = Severity::kWarning;
    remark.message = "changes reach the subscribers no more";
  } else if (publication != nullptr && publication->subscription) {
    remark.message = "a subscription copies whole tables when it starts";
  } else if (publication != nullptr) {
    const std::string keyless = Keyless(context, *publication);
    if (keyless.empty() && AllKnown(context, *publication)) return;
    if (keyless.empty()) {
      remark.message = "subscribers must know every column before a row has it";
    } else {
      remark.severity = Severity::kError;
      remark.message = fmt::format(
          "{} has no primary key: its UPDATEs and DELETEs fail once it is "
          "published",
          keyless);
    }
  } else {
    return;
  }
  report(std::move(remark));
}

}  // namespace

constinit const Rule kReplication{
    .id = "replication",
    .title = "Publication or subscription changed",
    .category = Category::kClient,
    .severity = Severity::kNote,
    .effect =
        "From the moment a table is published, UPDATE and DELETE fail on it unless it has a "
        "primary key or another replica identity. Dropping one stops its subscribers.",
    .remedy = "Give the tables a primary key, or REPLICA IDENTITY FULL, before they are published.",
    .check = &Check};

}  // namespace pgalter::lint
