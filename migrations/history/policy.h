#pragma once

// What must hold before a migration is begun, who agreed to it, and what was shown for it: the
// client's side of migrations/state/0007_policy.sql and 0017_governed_runs.sql, where the judging
// is done. All of it is written down in pgalter.audit_log.
//
// Throws pg::PgError with kPolicyRefuses (what is lacking, or that this role may not) or
// kPolicyUnknown (no such request, meaning or role).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/guard/session.h"
#include "migrations/history/collection.h"

namespace pgalter::history {

using async::Task;
using guard::Session;

inline constexpr const char* kPolicyRefuses = "PGA04";
inline constexpr const char* kPolicyUnknown = "PGA02";

// What the trigger is told, in the transaction that begins a migration or its way back.
struct Beginning {
  bool has_down = false;
  std::string break_glass;  // the reason; empty: not wanted
};
Task<> TellPolicy(Session& session, Beginning beginning);

struct Wish {
  std::string direction;  // "up" or "down"
  std::string
      steps;  // as JSON: what pgalter.step would hold; the database computes what is agreed to
  std::string reason;
};
Task<std::int64_t> MakeRequest(Session& session, const Migration& migration, Wish wish);
// For a run that is there, and was not opened.
Task<std::int64_t> RequestRun(Session& session, std::string run, std::string reason);

// Where it was opened already, or there is no policy, nothing happens.
Task<> OpenRun(Session& session, std::string run, std::string break_glass);

struct Approval {
  std::string meaning;
  std::string by;
  std::string printed_name;
  std::string reason;
  std::string at;  // UTC, ISO 8601
};
struct Request {
  std::int64_t id = 0;
  std::string version;
  std::string direction;
  std::string file;
  std::string plan_sha256;
  std::string plan;
  std::string reason;
  std::string state;
  std::string requested_by;
  std::string requested_at;  // UTC, ISO 8601
  std::vector<Approval> approvals;
};
// The open ones, or the one. Empty where schema pgalter is older, or not there.
Task<std::vector<Request>> ReadRequests(Session& session, std::optional<std::int64_t> id);

Task<> Approve(Session& session, const Request& request, std::string meaning,
               std::string printed_name, std::string reason);
Task<> Reject(Session& session, std::int64_t request, std::string reason);

// That a file was seen: a backup, a rehearsal's report. Only its hash is kept.
Task<> Attest(Session& session, std::string kind, std::string file, std::string sha256,
              std::string note);

struct Exemption {
  std::int64_t id = 0;
  std::string version;
  std::string direction;
  std::string lacked;
  std::string reason;
  std::string used_by;
  std::string due;  // UTC, ISO 8601
  bool overdue = false;
};
// Those that nobody has looked at yet.
Task<std::vector<Exemption>> OpenExemptions(Session& session);
Task<> ReviewExemption(Session& session, std::int64_t id, std::string review);

// JSON; none: there is no policy.
Task<std::optional<std::string>> ReadPolicy(Session& session);
Task<> SetPolicy(Session& session, std::string json);
Task<> DropPolicy(Session& session);

}  // namespace pgalter::history
