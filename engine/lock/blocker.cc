#include "engine/lock/blocker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace pgalter::lock {

namespace {

bool IsBackup(std::string_view application_name) {
  constexpr std::array<std::string_view, 7> kPrefixes = {
      "pg_dump", "pg_basebackup", "pg_receivewal", "barman", "pgBackRest", "wal-g", "pg_probackup"};
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) {
    return application_name.substr(0, prefix.size()) == prefix;
  });
}

bool IsOwnRun(std::string_view application_name) {
  return application_name == "pgalter" || application_name.substr(0, 8) == "pgalter/";
}

BlockerKind KindOfHidden(const SessionTraits& traits) {
  // Of the processes without a user only autovacuum takes this lock on a table.
  if (traits.has_user || traits.lock_mode != locks::LockMode::kShareUpdateExclusive)
    return BlockerKind::kNotVisible;
  return traits.wraparound_due ? BlockerKind::kAutovacuumWraparound : BlockerKind::kAutovacuum;
}

// Names may hold line breaks and terminal escapes.
std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      printable += fmt::format("\\x{:02x}", byte);
    } else {
      printable += c;
    }
  }
  return printable;
}

std::string What(const LockInfo& lock) {
  const std::string object =
      lock.relation.empty() ? "a lock of type " + lock.lock_type : Printable(lock.relation);
  if (!lock.mode) return (lock.granted ? "stands in the way on " : "waits for ") + object;
  return fmt::format("{} {} on {}", lock.granted ? "holds" : "waits ahead of us for",
                     locks::Name(*lock.mode), object);
}

}  // namespace

std::string Who(const SessionInfo& session) {
  if (session.kind == BlockerKind::kPreparedTransaction) {
    return fmt::format("the prepared transaction «{}» (user {})", Printable(session.prepared_gid),
                       Printable(session.user));
  }
  std::string who;
  const auto add = [&who](const std::string& piece) { who += (who.empty() ? "" : ", ") + piece; };
  if (!session.application_name.empty())
    add(fmt::format("app «{}»", Printable(session.application_name)));
  if (!session.user.empty()) add("user " + Printable(session.user));
  if (!session.client_address.empty()) add("from " + session.client_address);
  if (session.kind == BlockerKind::kAutovacuum) add("autovacuum");
  if (session.kind == BlockerKind::kAutovacuumWraparound) add("autovacuum against wraparound");
  if (session.kind == BlockerKind::kWalSender) add("walsender");
  if (who.empty()) return fmt::format("pid {}", session.pid);
  return fmt::format("pid {} ({})", session.pid, who);
}

BlockerKind KindOf(const SessionTraits& traits) {
  if (IsOwnRun(traits.application_name)) return BlockerKind::kOwnRun;
  const std::string_view type = traits.backend_type;
  if (type.empty()) return KindOfHidden(traits);
  if (type == "autovacuum worker") {
    const bool wraparound = traits.query.find("(to prevent wraparound)") != std::string::npos;
    return wraparound ? BlockerKind::kAutovacuumWraparound : BlockerKind::kAutovacuum;
  }
  if (type == "walsender") return BlockerKind::kWalSender;
  if (type == "parallel worker") return BlockerKind::kParallelWorker;
  if (type != "client backend") return BlockerKind::kOther;
  return IsBackup(traits.application_name) ? BlockerKind::kBackup : BlockerKind::kClient;
}

std::string HumanAge(Milliseconds age) {
  const auto ms = age.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  const auto seconds = ms / 1000;
  if (seconds < 120) return fmt::format("{} s", seconds);
  const auto minutes = seconds / 60;
  if (minutes < 120) return fmt::format("{} min", minutes);
  const auto hours = minutes / 60;
  if (hours < 48) return fmt::format("{} h", hours);
  return fmt::format("{} d", hours / 24);
}

std::string Describe(const Blocker& blocker) {
  const SessionInfo& session = blocker.session;
  std::string line = fmt::format("{} {}", Who(session), What(blocker.lock));
  if (session.kind == BlockerKind::kPreparedTransaction) {
    if (session.transaction_age)
      line += ", prepared " + HumanAge(*session.transaction_age) + " ago";
    return line + "; it ends only by COMMIT PREPARED or ROLLBACK PREPARED";
  }
  if (session.transaction_age)
    line += fmt::format(", transaction open for {}", HumanAge(*session.transaction_age));
  if (!session.state.empty()) line += ", " + session.state;
  if (!session.state.empty() && session.state_age)
    line += fmt::format(" for {}", HumanAge(*session.state_age));
  if (!session.query.empty()) return line + fmt::format(": «{}»", Printable(session.query));
  if (session.state.empty())
    line += "; details are hidden from this role (GRANT pg_monitor shows them)";
  return line;
}

}  // namespace pgalter::lock
