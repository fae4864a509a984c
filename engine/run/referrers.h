// Referrers: rows of other tables that refer to those of a partition by other means than foreign
// keys, so that the server lets the partition go. Asked under the lock of the detach: who is about
// to refer waits for it, and finds nothing afterwards; who has done it is seen.
#pragma once

#include <string>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::run {

class Referrers {
 public:
  virtual ~Referrers() = default;
  // Whether there can be any: of partitions of this table.
  virtual Task<bool> Possible(guard::Session& session, pg::Oid parent) const = 0;
  // Why the partition (quoted, with its schema) should not go, with the way out; empty: nobody
  // refers to its rows.
  virtual Task<std::string> Find(guard::Session& session, pg::Oid parent,
                                 std::string partition) const = 0;
  // What a detach from this table has to ask under its lock, the server's own questions included,
  // and what would make the answer come sooner: sentences, with a space before each; empty:
  // nothing.
  virtual Task<std::string> WhySlow(guard::Session& session, pg::Oid parent) const = 0;
};

struct Leaving {
  pg::Oid parent = 0;
  std::string partition;  // quoted, with its schema
};

[[nodiscard]] bool DetachesAtOnce(const std::string& statement);

// What these statements detach at once from tables whose rows may be referred to. `named`: a
// session with the path of whoever wrote the names; the transaction that detaches has another.
Task<std::vector<Leaving>> LeavingBy(Environment& env, guard::Session& named,
                                     const Referrers& referrers,
                                     std::vector<std::string> statements);

// The same question's WhySlow, of all tables that these statements detach from.
Task<std::string> WhySlowIs(Environment& env, guard::Session& named, const Referrers& referrers,
                            std::vector<std::string> statements);

// In the transaction that has detached them, so that its locks are held. Throws Failure (refused).
Task<> RefuseReferred(Environment& env, const Referrers& referrers,
                      const std::vector<Leaving>& leaving);

}  // namespace pgalter::run
