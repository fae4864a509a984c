#include "engine/lock/lock_tables.h"

#include <fmt/format.h>

namespace pgalter::lock {

namespace {

std::string LockTablesStatement(const LockRequest& request) {
  std::string names;
  for (const sql::QualifiedName& table : request.tables)
    names += (names.empty() ? "" : ", ") + sql::ToString(table);
  return fmt::format("LOCK TABLE {} IN {} MODE", names, locks::Name(request.mode));
}

}  // namespace

std::string LockStatement(const LockRequest& request) {
  if (request.views.empty()) return LockTablesStatement(request);
  std::string views;
  for (const View& view : request.views)
    views += fmt::format("ALTER TABLE {} SET SCHEMA {}; ", view.name, view.schema);
  // One statement has one statement_timeout, however many locks it waits for.
  const std::string body = fmt::format(
      "BEGIN BEGIN {}EXCEPTION WHEN undefined_table OR invalid_schema_name OR wrong_object_type OR "
      "undefined_object OR insufficient_privilege THEN RAISE lock_not_available USING MESSAGE = "
      "SQLERRM; END; {}; END",
      views, LockTablesStatement(request));
  return "DO " + sql::QuoteLiteral(body);
}

Task<> LockTables(guard::Session& session, LockRequest request) {
  co_await session.db().Query(LockStatement(request));
}

}  // namespace pgalter::lock
