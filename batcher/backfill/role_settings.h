// Looking at users' code and names under the settings that a run keeps.
#pragma once

#include <type_traits>

#include "batcher/backfill/spec.h"
#include "engine/guard/transaction.h"

namespace pgalter::backfill {

using async::Task;
using guard::Session;

// Runs body, () -> Task<T>, in a read-only transaction under the spec's settings: user code and
// users' names are looked at under the role's search_path, all else of ours under pg_catalog.
template <class Body>
auto UnderRoleSettings(Session& session, const Spec& spec, Body& body)
    -> std::invoke_result_t<Body&> {
  auto with_settings = [&]() -> std::invoke_result_t<Body&> {
    for (const auto& [name, value] : spec.settings)
      co_await session.db().Query("SELECT set_config($1, $2, true)", name, value);
    co_return co_await body();
  };
  guard::TransactionOptions read_only;
  read_only.access = guard::Access::kReadOnly;
  co_return co_await guard::RunInTransaction(session, read_only, with_settings);
}

}  // namespace pgalter::backfill
