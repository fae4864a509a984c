// Cut-over wish: when a rebuild may swap its tables, said from any machine that reaches the
// database. The row decides, so it outlives the runner.
#pragma once

#include <optional>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

// What holds where nobody has said anything since the run was made.
enum class CutoverDefault { kAuto, kWait };

// By the server's clock.
Task<bool> MayCutOver(Session& session, std::string run, CutoverDefault otherwise);

// The time that LetCutOver was given, as ISO 8601; empty: none was, it has come, or somebody has
// postponed the cut-over since.
Task<std::string> CutOverNotBefore(Session& session, std::string run);

// Whether it has passed by more than a minute, by the server's clock: nobody waits for that. As
// LetCutOver reads it, and throws.
Task<bool> HasPassed(Session& session, std::string at);

// At once, or from that time on: as PostgreSQL reads it, in UTC unless it says otherwise. The time,
// as ISO 8601. Throws pg::PgError for what is no time.
Task<std::string> LetCutOver(Session& session, std::string run, std::optional<std::string> at);

// Not before LetCutOver().
Task<> PostponeCutOver(Session& session, std::string run);

}  // namespace pgalter::state
