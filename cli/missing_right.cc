#include "cli/missing_right.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "cli/connect.h"
#include "engine/pg/error.h"

namespace pgalter::cli {

namespace {

constexpr std::string_view kDenied = "permission denied for schema ";

std::optional<pg::PgError> AsDenied(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const pg::ConnectError&) {
    return std::nullopt;
  } catch (const pg::PgError& denied) {
    const bool of_schema = denied.Is(pg::sqlstate::kInsufficientPrivilege) &&
                           denied.fields().message.starts_with(kDenied);
    if (of_schema && denied.fields().hint.empty()) return denied;
  } catch (...) {
    // It has its own words.
  }
  return std::nullopt;
}

// Empty: nothing is missing by now.
Task<std::string> GrantOn(const Context& context, std::string schema) {
  guard::Session session = co_await OpenSession(context);
  const pg::Result row = co_await session.db().Query(
      "SELECT quote_ident(nspname), quote_ident(pg_get_userbyid(nspowner)),"
      " quote_ident(current_user), has_schema_privilege(oid, 'USAGE'),"
      " has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1",
      schema);
  if (row.empty()) co_return "";
  const bool uses = row.Get<bool>(0, 3);
  const bool creates = row.Get<bool>(0, 4);
  if (uses && creates) co_return "";
  co_return fmt::format(
      "role {0} may not {1} schema {2}, which belongs to {3}: GRANT {4} ON "
      "SCHEMA {2} TO {0}",
      row.Get<std::string>(0, 2), uses ? "make anything in" : "use", row.Get<std::string>(0, 0),
      row.Get<std::string>(0, 1), uses ? "CREATE" : "USAGE");
}

}  // namespace

Task<std::exception_ptr> WithGrant(const Context& context, std::exception_ptr error) {
  const std::optional<pg::PgError> denied = AsDenied(error);
  if (!denied) co_return error;
  pg::PgErrorFields fields = denied->fields();
  try {
    fields.hint = co_await GrantOn(context, fields.message.substr(kDenied.size()));
  } catch (const std::exception&) {
    co_return error;  // the server's word is better than none
  }
  co_return std::make_exception_ptr(pg::PgError(std::move(fields)));
}

}  // namespace pgalter::cli
