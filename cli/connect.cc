#include "cli/connect.h"

#include <fmt/format.h>

#include "cli/rejected.h"

namespace pgalter::cli {

namespace {
constexpr int kOldest = 14;
constexpr int kNewest = 18;
}  // namespace

pg::ConnectOptions Context::Connect() const {
  pg::ConnectOptions where;
  where.conninfo = pg::Conninfo::Parse(dsn);
  return where;
}

std::string WhyNotSupported(int server_version) {
  const int major = server_version / 10000;
  if (major >= kOldest && major <= kNewest) return "";
  return fmt::format(
      "this server is PostgreSQL {}; changes are made on {} to {} only, and nothing "
      "was changed",
      major, kOldest, kNewest);
}

Task<guard::Session> OpenSession(const Context& context) {
  guard::SessionOptions options;
  options.connect = context.Connect();
  guard::Session session = co_await guard::Session::Open(std::move(options));
  co_return session;
}

Task<guard::Session> OpenForChange(const Context& context) {
  guard::Session session = co_await OpenSession(context);
  const std::string problem = WhyNotSupported(session.db().server_version());
  if (!problem.empty())
    throw Rejected(ExitCode::kUnsupported, problem, "pgalter version; a newer one may know it");
  co_return session;
}

Task<> UseOwnSearchPath(guard::Session& session) {
  co_await session.db().Query(
      "SELECT pg_catalog.set_config(name, reset_val, false) FROM pg_catalog.pg_settings"
      " WHERE name = 'search_path'");
}

}  // namespace pgalter::cli
