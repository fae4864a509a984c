#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  if (context.pooling == pg::Pooling::kTransaction) {
    answers.push_back(Blocker(
        "a connection pooler in transaction mode answers here",
        "every transaction gets another session: timeouts, locks and LISTEN would land on "
        "strangers, and CREATE INDEX CONCURRENTLY may be cut off",
        "connect to the server itself, or to a pool in session mode", Cause::kRightOrServer));
  } else if (context.pooling == pg::Pooling::kSession) {
    answers.push_back(
        Note("a connection pooler in session mode answers here",
             "it works; the pool needs a server connection for each session of pgalter, and may "
             "cut long statements off (server_lifetime, query_timeout)",
             "prefer the server itself for changes"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kPooler{
    .id = "pooler", .fine = "no pooler between here and the server", .run = &Run};

}  // namespace pgalter::check
