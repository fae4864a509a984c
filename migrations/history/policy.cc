#include "migrations/history/policy.h"

#include <utility>

namespace pgalter::history {

namespace {

Task<bool> IsThere(Session& session) {
  const pg::Result there =
      co_await session.db().Query("SELECT pg_catalog.to_regclass('pgalter.policy') IS NOT NULL");
  co_return there.Get<bool>(0, 0);
}

std::string AuthorOf(const Migration& migration) {
  for (const formats::HeaderKey& key : migration.header)
    if (key.key == "author") return key.value;
  return "";
}

}  // namespace

Task<> TellPolicy(Session& session, Beginning beginning) {
  const std::string has_down = beginning.has_down ? "yes" : "no";
  co_await session.db().Query(
      "SELECT pg_catalog.set_config('pgalter.has_down', $1, true),"
      " pg_catalog.set_config('pgalter.break_glass', $2, true)",
      has_down, beginning.break_glass);
}

Task<std::int64_t> MakeRequest(Session& session, const Migration& migration, Wish wish) {
  const pg::Result made = co_await session.db().Query(
      "SELECT pgalter.request_approval($1, $2, $3, $4, $5::jsonb, $6, $7)", migration.version,
      wish.direction, migration.file, migration.sums.text, wish.steps, AuthorOf(migration),
      wish.reason);
  co_return made.Get<std::int64_t>(0, 0);
}

Task<std::int64_t> RequestRun(Session& session, std::string run, std::string reason) {
  const pg::Result made =
      co_await session.db().Query("SELECT pgalter.request_run($1::uuid, $2)", run, reason);
  co_return made.Get<std::int64_t>(0, 0);
}

Task<> OpenRun(Session& session, std::string run, std::string break_glass) {
  const pg::Result there = co_await session.db().Query(
      "SELECT pg_catalog.to_regprocedure('pgalter.open_run(uuid, text)') IS NOT NULL");
  if (!there.Get<bool>(0, 0)) co_return;
  co_await session.db().Query("SELECT pgalter.open_run($1::uuid, $2)", run, break_glass);
}

Task<std::vector<Request>> ReadRequests(Session& session, std::optional<std::int64_t> id) {
  std::vector<Request> requests;
  const bool there = co_await IsThere(session);
  if (!there) co_return requests;
  const pg::Result rows = co_await session.db().Query(
      "SELECT id, version, direction, file, plan_sha256, plan, reason, state, requested_by,"
      " to_char(requested_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
      " FROM pgalter.request WHERE id = $1 OR $1 IS NULL AND state = 'open' ORDER BY id",
      id);
  for (int i = 0; i < rows.rows(); ++i) {
    const auto text = [&](int column) { return rows.Get<std::string>(i, column); };
    Request request;
    request.id = rows.Get<std::int64_t>(i, 0);
    request.version = text(1);
    request.direction = text(2);
    request.file = text(3);
    request.plan_sha256 = text(4);
    request.plan = text(5);
    request.reason = text(6);
    request.state = text(7);
    request.requested_by = text(8);
    request.requested_at = text(9);
    requests.push_back(std::move(request));
  }
  for (Request& request : requests) {
    const pg::Result given = co_await session.db().Query(
        "SELECT meaning, approved_by, printed_name, reason,"
        " to_char(approved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        " FROM pgalter.approval WHERE request = $1 ORDER BY approved_at",
        request.id);
    for (int i = 0; i < given.rows(); ++i)
      request.approvals.push_back({given.Get<std::string>(i, 0), given.Get<std::string>(i, 1),
                                   given.Get<std::string>(i, 2), given.Get<std::string>(i, 3),
                                   given.Get<std::string>(i, 4)});
  }
  co_return requests;
}

Task<> Approve(Session& session, const Request& request, std::string meaning,
               std::string printed_name, std::string reason) {
  co_await session.db().Query("SELECT pgalter.approve($1, $2, $3, $4, $5)", request.id,
                              request.plan_sha256, meaning, printed_name, reason);
}

Task<> Reject(Session& session, std::int64_t request, std::string reason) {
  co_await session.db().Query("SELECT pgalter.reject($1, $2)", request, reason);
}

Task<> Attest(Session& session, std::string kind, std::string file, std::string sha256,
              std::string note) {
  co_await session.db().Query("SELECT pgalter.attest($1, $2, $3, $4)", kind, file, sha256, note);
}

Task<std::vector<Exemption>> OpenExemptions(Session& session) {
  std::vector<Exemption> exemptions;
  const bool there = co_await IsThere(session);
  if (!there) co_return exemptions;
  const pg::Result rows = co_await session.db().Query(
      "SELECT id, version, direction, lacked, reason, used_by,"
      " to_char(due AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), due < clock_timestamp()"
      " FROM pgalter.exemption WHERE reviewed_at IS NULL ORDER BY id");
  for (int i = 0; i < rows.rows(); ++i)
    exemptions.push_back({rows.Get<std::int64_t>(i, 0), rows.Get<std::string>(i, 1),
                          rows.Get<std::string>(i, 2), rows.Get<std::string>(i, 3),
                          rows.Get<std::string>(i, 4), rows.Get<std::string>(i, 5),
                          rows.Get<std::string>(i, 6), rows.Get<bool>(i, 7)});
  co_return exemptions;
}

Task<> ReviewExemption(Session& session, std::int64_t id, std::string review) {
  co_await session.db().Query("SELECT pgalter.review_exemption($1, $2)", id, review);
}

Task<std::optional<std::string>> ReadPolicy(Session& session) {
  const bool there = co_await IsThere(session);
  if (!there) co_return std::nullopt;
  const pg::Result rows = co_await session.db().Query("SELECT settings::text FROM pgalter.policy");
  if (rows.empty()) co_return std::nullopt;
  co_return rows.Get<std::string>(0, 0);
}

Task<> SetPolicy(Session& session, std::string json) {
  co_await session.db().Query("SELECT pgalter.set_policy($1::jsonb)", json);
}

Task<> DropPolicy(Session& session) { co_await session.db().Query("SELECT pgalter.drop_policy()"); }

}  // namespace pgalter::history
