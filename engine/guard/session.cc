#include "engine/guard/session.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

namespace pgalter::guard {

namespace {

// In one statement, so that it is one round trip. A backend whose client is cut off keeps its locks
// for ten seconds, and is gone, also when it was idle, within half a minute. A setting that this
// server does not have is left out by joining with pg_settings: transaction_timeout came with 17.
constexpr const char* kApplySettings = R"sql(
SELECT pg_catalog.set_config(s.name, w.value, false)
FROM (VALUES ('lock_timeout', '0'),
             ('statement_timeout', '0'),
             ('transaction_timeout', '0'),
             ('idle_in_transaction_session_timeout', '10s'),
             ('idle_session_timeout', '0'),
             ('client_connection_check_interval', '1s'),
             ('tcp_keepalives_idle', '10s'),
             ('tcp_keepalives_interval', '5s'),
             ('tcp_keepalives_count', '3'),
             ('tcp_user_timeout', '25s'),
             ('default_transaction_isolation', 'read committed'),
             ('default_transaction_read_only', 'off'),
             ('default_transaction_deferrable', 'off'),
             ('row_security', 'off'),
             -- Statements are many and short: compiling them costs more than they do.
             ('jit', 'off'),
             -- Definitions and keys are read as text and written again: it must be read as what it
             -- was, which dates of another style and the names of time zones are not.
             ('DateStyle', 'ISO, YMD'),
             ('IntervalStyle', 'postgres'),
             ('extra_float_digits', '1'),
             ('bytea_output', 'hex'),
             ('standard_conforming_strings', 'on'),
             -- Names are compared with those that quote_ident() and format() made before.
             ('quote_all_identifiers', 'off'),
             ('search_path', 'pg_catalog')) AS w (name, value)
JOIN pg_catalog.pg_settings s ON s.name = w.name
)sql";

// Who the person at the machine is, for the audit log. Empty: the system does not say.
const std::string& OsUser() {
  static const std::string name = [] {
    const passwd* user = ::getpwuid(::geteuid());
    return user == nullptr ? std::string() : std::string(user->pw_name);
  }();
  return name;
}

void RefuseTransactionPooling(pg::Pooling pooling) {
  if (pooling != pg::Pooling::kTransaction) return;
  pg::PgErrorFields fields;
  fields.sqlstate = "0A000";
  fields.message =
      "a connection pooler in transaction mode answers here: every transaction gets another "
      "session, and settings and locks would land on strangers";
  fields.hint = "connect to the server itself, or to a pool in session mode";
  throw pg::PgError(std::move(fields));
}

}  // namespace

std::string ApplicationName(const std::string& run) {
  return run.empty() ? "pgalter" : "pgalter/" + run;
}

void Session::NoteRoundTrip(async::Clock::duration took) {
  // The least of the last ones: what is above it is the server's time.
  constexpr std::size_t kLast = 8;
  round_trips_.push_back(took);
  if (round_trips_.size() > kLast) round_trips_.pop_front();
}

async::Clock::duration Session::round_trip() const {
  if (round_trips_.empty()) return async::Clock::duration::zero();
  return *std::min_element(round_trips_.begin(), round_trips_.end());
}

Task<Session> Session::Open(SessionOptions options) {
  options.connect.application_name = ApplicationName(options.run);
  Session session;
  session.connection_ = co_await pg::Connection::Connect(options.connect);
  pg::Connection& db = session.connection_;
  session.pooling_ = co_await pg::DetectPooling(db, options.connect);
  RefuseTransactionPooling(session.pooling_);

  // One round trip. statement_timeout goes first and alone: a role's own may be too short for the
  // rest.
  std::vector<pg::Statement> settings;
  settings.push_back({"SET statement_timeout = 0", {}});
  settings.push_back({kApplySettings, {}});
  settings.push_back(
      {"SELECT pg_catalog.set_config('pgalter.os_user', $1, false)", pg::Params::Of(OsUser())});
  for (const auto& [name, value] : options.settings)
    settings.push_back(
        {"SELECT pg_catalog.set_config($1, $2, false)", pg::Params::Of(name, value)});
  settings.push_back({"SELECT pg_catalog.pg_backend_pid()", {}});
  const auto sent = async::Clock::now();
  const auto results = co_await db.Pipeline(std::move(settings));
  session.NoteRoundTrip(async::Clock::now() - sent);
  session.server_pid_ = results.back().Get<std::int32_t>(0, 0);
  co_return session;
}

}  // namespace pgalter::guard
