// Transactions of ours. RunInTransaction commits when the body returned and rolls back when it
// threw; the session is idle afterwards, or closed.
//
// The first statement returns pg_backend_pid(): a change means that a pooler put another session
// under us, and throws (0A000). A COMMIT without an answer (connection lost, deadline passed) is
// AmbiguousCommit: never retried blindly, what was written in the same transaction decides. A
// cancel does not reach a COMMIT that has been sent.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/async/finally.h"
#include "engine/guard/session.h"

namespace pgalter::guard {

enum class Access { kReadWrite, kReadOnly };
enum class Isolation { kReadCommitted, kRepeatableRead };
// kFlushed: on our server's disk at least, whatever the role's synchronous_commit is.
// kLazy: the commit may be lost in a crash, together with all that it wrote. Right for a chunk,
// whose progress row is lost with its rows; for the end of a step only where a flushed transaction
// comes right after.
enum class Durability { kFlushed, kLazy };

struct TransactionOptions {
  Access access = Access::kReadWrite;
  Isolation isolation = Isolation::kReadCommitted;
  Durability durability = Durability::kFlushed;
  Milliseconds lock_timeout{0};       // 0: none
  Milliseconds statement_timeout{0};  // 0: none
};

class AmbiguousCommit : public pg::PgError {
 public:
  using pg::PgError::PgError;
};

Task<> Begin(Session& session, TransactionOptions options);
Task<> Commit(Session& session);    // throws AmbiguousCommit where the answer never came
Task<> RollBack(Session& session);  // never throws: closes a session that cannot be rolled back

// body: () -> Task<T>. Name it before the call (g++ 12 miscompiles a capturing lambda written
// inside the co_await expression).
template <class Body, class T = typename std::invoke_result_t<Body&>::value_type>
Task<T> RunInTransaction(Session& session, TransactionOptions options, Body& body) {
  std::exception_ptr failure;
  using Stored = std::conditional_t<std::is_void_v<T>, bool, T>;
  std::optional<Stored> value;
  try {
    co_await Begin(session, options);
    if constexpr (std::is_void_v<T>) {
      co_await body();
      value = true;
    } else {
      value = co_await body();
    }
    co_await Commit(session);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    co_await async::MaskCancellation();
    co_await async::Apart(RollBack(session));
    co_await async::UnmaskCancellation();
    std::rethrow_exception(failure);
  }
  if constexpr (!std::is_void_v<T>) co_return std::move(*value);
}

// With the defaults: read committed, flushed, no timeouts.
template <class Body, class T = typename std::invoke_result_t<Body&>::value_type>
Task<T> RunInTransaction(Session& session, Body& body) {
  const TransactionOptions defaults;
  co_return co_await RunInTransaction(session, defaults, body);
}

}  // namespace pgalter::guard
