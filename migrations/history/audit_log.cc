#include "migrations/history/audit_log.h"

#include "engine/guard/transaction.h"

namespace pgalter::history {

namespace {

AuditEntry FromRow(const pg::Result& row) {
  AuditEntry entry;
  entry.seq = row.Get<std::int64_t>(0, 0);
  entry.at = row.Get<std::string>(0, 1);
  entry.db_user = row.Get<std::string>(0, 2);
  entry.os_user = row.Get<std::optional<std::string>>(0, 3);
  entry.client_addr = row.Get<std::optional<std::string>>(0, 4);
  entry.backend_pid = row.Get<std::int32_t>(0, 5);
  entry.event = row.Get<std::string>(0, 6);
  entry.subject = row.Get<std::string>(0, 7);
  entry.payload = row.Get<std::string>(0, 8);
  entry.prev_hash = row.Get<std::string>(0, 9);
  entry.hash = row.Get<std::string>(0, 10);
  return entry;
}

}  // namespace

Task<std::optional<Anchor>> ReadAuditLogHere(guard::Session& session,
                                             std::function<void(const AuditEntry&)> take) {
  const pg::Result there =
      co_await session.db().Query("SELECT pg_catalog.to_regclass('pgalter.audit_log') IS NOT NULL");
  if (!there.Get<bool>(0, 0)) co_return std::nullopt;
  const pg::Params none;
  const auto sink = [&](const pg::Result& row) { take(FromRow(row)); };
  co_await session.db().Stream(
      "SELECT seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), db_user,"
      " os_user, client_addr, backend_pid, event, subject, payload, encode(prev_hash, 'hex'),"
      " encode(hash, 'hex') FROM pgalter.audit_log ORDER BY seq",
      none, sink);
  const pg::Result row =
      co_await session.db().Query("SELECT seq, encode(hash, 'hex') FROM pgalter.audit_head");
  // A head that somebody has removed is no end that fits.
  Anchor head{-1, ""};
  if (!row.empty()) {
    head.seq = row.Get<std::int64_t>(0, 0);
    head.hash = row.Get<std::string>(0, 1);
  }
  co_return head;
}

Task<std::optional<Anchor>> ReadAuditLog(guard::Session& session,
                                         std::function<void(const AuditEntry&)> take) {
  guard::TransactionOptions snapshot;
  snapshot.access = guard::Access::kReadOnly;
  snapshot.isolation = guard::Isolation::kRepeatableRead;
  std::optional<Anchor> head;
  auto read = [&]() -> Task<> { head = co_await ReadAuditLogHere(session, take); };
  co_await guard::RunInTransaction(session, snapshot, read);
  co_return head;
}

Task<std::optional<Sink>> ReadSink(guard::Session& session) {
  const pg::Result there = co_await session.db().Query(
      "SELECT pg_catalog.to_regclass('pgalter.audit_sink') IS NOT NULL");
  if (!there.Get<bool>(0, 0)) co_return std::nullopt;
  const pg::Result row =
      co_await session.db().Query("SELECT statement, on_failure FROM pgalter.audit_sink");
  if (row.empty()) co_return std::nullopt;
  Sink sink{row.Get<std::string>(0, 0), row.Get<std::string>(0, 1)};
  co_return sink;
}

Task<> SetSink(guard::Session& session, std::optional<Sink> sink) {
  if (sink) {
    co_await session.db().Query("SELECT pgalter.set_audit_sink($1, $2)", sink->statement,
                                sink->on_failure);
  } else {
    co_await session.db().Query("SELECT pgalter.drop_audit_sink()");
  }
}

}  // namespace pgalter::history
