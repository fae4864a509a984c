// Check: one thing about the server that decides how a change of schema will go. One file a check
// under checks/, one line in checks.def.
//
// A check reads with plain SELECTs inside a READ ONLY transaction with search_path = pg_catalog and
// short timeouts. It asks for a right before it uses it. What it cannot see it says; it never takes
// silence for an answer.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/async/task.h"
#include "engine/check/target.h"
#include "engine/pg/connection.h"
#include "engine/pg/pooler.h"

namespace pgalter::check {

using async::Task;

enum class Severity {
  kOk,
  kNote,     // worth knowing
  kWarning,  // the change may hurt, fail or take long
  kBlocker,  // the change cannot be made, or must not
};

[[nodiscard]] std::string_view Name(Severity severity);

// Why a blocker blocks, for the exit code.
enum class Cause { kState, kRightOrServer };

struct Answer {
  Severity severity = Severity::kOk;
  std::string what;     // that is so, with the object's name
  std::string meaning;  // for what the user wants to do; empty for kOk
  std::string remedy;   // what to do about it; may be empty
  Cause cause = Cause::kState;
};

using Answers = std::vector<Answer>;

inline Answer Ok(std::string what) {
  return {Severity::kOk, std::move(what), {}, {}, Cause::kState};
}
inline Answer Note(std::string what, std::string meaning, std::string remedy = {}) {
  return {Severity::kNote, std::move(what), std::move(meaning), std::move(remedy), Cause::kState};
}
inline Answer Warning(std::string what, std::string meaning, std::string remedy = {}) {
  return {Severity::kWarning, std::move(what), std::move(meaning), std::move(remedy),
          Cause::kState};
}
inline Answer Blocker(std::string what, std::string meaning, std::string remedy = {},
                      Cause cause = Cause::kState) {
  return {Severity::kBlocker, std::move(what), std::move(meaning), std::move(remedy), cause};
}

struct CheckOptions {
  std::set<std::string, std::less<>> only;  // ids; empty: all
  double old_transaction_s = 60;            // older ones are told of
};

struct CheckContext {
  pg::Connection& db;
  const Target& target;
  const CheckOptions& options;
  pg::Pooling pooling = pg::Pooling::kNone;
};

struct Check {
  std::string_view id;    // kebab-case; what the user reads and --only takes
  std::string_view fine;  // what is so where there is no answer
  // No answer: nothing to say. May throw pg::PgError, which becomes a note that it was not read.
  Task<Answers> (*run)(CheckContext& context) = nullptr;
};

}  // namespace pgalter::check
