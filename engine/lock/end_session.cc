#include "engine/lock/end_session.h"

namespace pgalter::lock {

namespace {

// As blockers.cc reads backend_start.
constexpr const char* kCancel =
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
    " WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2";
constexpr const char* kTerminate =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2";

}  // namespace

std::string WhyNotEnd(const SessionInfo& session) {
  switch (session.kind) {
    case BlockerKind::kClient:
    case BlockerKind::kAutovacuum:
      return session.backend_start.empty() ? "its session is hidden" : "";
    case BlockerKind::kOwnRun:
      return "it is a session of a pgalter run: pause or abort that";
    case BlockerKind::kPreparedTransaction:
      return "it is a prepared transaction: COMMIT PREPARED or ROLLBACK PREPARED ends it";
    case BlockerKind::kAutovacuumWraparound:
      return "it is an autovacuum against wraparound, and would begin anew";
    case BlockerKind::kWalSender:
      return "it sends WAL to a standby or a subscriber";
    case BlockerKind::kBackup:
      return "it is a backup";
    case BlockerKind::kParallelWorker:
      return "it is a worker of another session: end that";
    case BlockerKind::kNotVisible:
      return "what it is is hidden from this role; GRANT pg_monitor TO it";
    case BlockerKind::kOther:
      break;
  }
  return "it is a process of the server itself";
}

const LockNode* FindNode(const std::vector<LockNode>& trees, int pid) {
  for (const LockNode& node : trees) {
    if (node.session.pid == pid) return &node;
    if (const LockNode* found = FindNode(node.waiters, pid)) return found;
  }
  return nullptr;
}

Task<bool> EndSession(guard::Session& observer, const SessionInfo& session, Ending ending) {
  std::string sql = ending == Ending::kCancel ? kCancel : kTerminate;
  const pg::Result done =
      co_await observer.db().Query(std::move(sql), session.pid, session.backend_start);
  co_return !done.empty() && done.Get<bool>(0, 0);
}

}  // namespace pgalter::lock
