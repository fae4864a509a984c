// SQLSTATEs that decide something, and what may be done after one.
// Source: PostgreSQL docs, appendix A.
#pragma once

#include <array>
#include <string_view>

namespace pgalter::pg {

enum class SqlstateClass {
  kRetryable,         // serialization failure, deadlock: the transaction may be run again
  kLockNotAvailable,  // lock_timeout ran out, or NOWAIT
  kCancelled,         // statement_timeout or a cancel request
  kConnectionLost,    // after a COMMIT was sent: ambiguous, never retried blindly
  kData,              // a value is at fault: the row can be found by bisection
  kNoResource,        // disk full, out of memory, too many connections: may pass
  kNoRight,
  kPermanent,
};

namespace sqlstate {
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kDeadlock = "40P01";
inline constexpr std::string_view kSerialization = "40001";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kUndefinedColumn = "42703";
inline constexpr std::string_view kDatatypeMismatch = "42804";
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kUniqueViolation = "23505";
inline constexpr std::string_view kDuplicateSchema = "42P06";
inline constexpr std::string_view kReadOnly = "25006";
// internal_error: among others, of a statement whose relation was dropped before it opened it.
inline constexpr std::string_view kInternalError = "XX000";
// libpq reports a broken connection without a SQLSTATE; we give it this one (connection_failure).
inline constexpr std::string_view kConnectionFailure = "08006";

struct Rule {
  std::string_view prefix;  // whole SQLSTATE, or its two-character class
  SqlstateClass klass;
};

// First match wins: single codes before their class.
inline constexpr std::array kRules{
    Rule{kLockNotAvailable, SqlstateClass::kLockNotAvailable},
    Rule{kDeadlock, SqlstateClass::kRetryable},
    Rule{kSerialization, SqlstateClass::kRetryable},
    Rule{kQueryCanceled, SqlstateClass::kCancelled},
    Rule{kInsufficientPrivilege, SqlstateClass::kNoRight},
    Rule{"08", SqlstateClass::kConnectionLost},
    Rule{"57P01", SqlstateClass::kConnectionLost},    // admin_shutdown, pg_terminate_backend
    Rule{"57P02", SqlstateClass::kConnectionLost},    // crash_shutdown
    Rule{"57P03", SqlstateClass::kConnectionLost},    // cannot_connect_now
    Rule{"57P05", SqlstateClass::kConnectionLost},    // idle_session_timeout
    Rule{"25P03", SqlstateClass::kConnectionLost},    // idle_in_transaction_session_timeout
    Rule{"25P04", SqlstateClass::kConnectionLost},    // transaction_timeout (17)
    Rule{kReadOnly, SqlstateClass::kConnectionLost},  // we sit on a demoted or standby server
    Rule{"22", SqlstateClass::kData},
    Rule{"23", SqlstateClass::kData},
    Rule{"44", SqlstateClass::kData},  // with_check_option_violation
    Rule{"P0", SqlstateClass::kData},  // raised by a user's trigger
    Rule{"53", SqlstateClass::kNoResource},
    Rule{"28", SqlstateClass::kNoRight},
};

constexpr SqlstateClass Classify(std::string_view code) {
  for (const Rule& rule : kRules)
    if (code.substr(0, rule.prefix.size()) == rule.prefix) return rule.klass;
  return SqlstateClass::kPermanent;
}
}  // namespace sqlstate

}  // namespace pgalter::pg
