#include "batcher/partition/rejoin.h"

#include <fmt/format.h>

#include <algorithm>

#include "batcher/cutover/unsettled.h"
#include "batcher/dependants/key_triggers.h"
#include "batcher/partition/pair.h"
#include "batcher/partition/self_keys.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

namespace {

constexpr const char* kReferring = R"sql(
SELECT DISTINCT format('%I.%I', n.nspname, c.relname)
FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f' AND f.confrelid = $1
  AND NOT EXISTS (SELECT FROM pg_partition_tree($1::oid::regclass) WHERE relid = f.conrelid AND level > 0)
  AND NOT EXISTS (SELECT FROM pg_constraint p
                  WHERE p.oid = f.conparentid AND p.confrelid = f.confrelid)
ORDER BY 1
)sql";

[[noreturn]] void Refuse(const run::Environment& env, const RepartSpec& spec,
                         const std::string& why, const char* verb) {
  throw run::Failure(run::ExitCode::kRefused,
                     fmt::format("the partitions of {} are not exchanged: {}. Nothing was changed. "
                                 "Then: pgalter {} {}",
                                 spec.parent, why, verb, env.run.id));
}

}  // namespace

Task<Texts> ReferringTables(Session& session, pg::Oid whole) {
  const pg::Result rows = co_await session.db().Query(kReferring, whole);
  Texts tables;
  for (int i = 0; i < rows.rows(); ++i) tables.push_back(rows.Get<std::string>(i, 0));
  co_return tables;
}

lock::LockRequest LockAround(const cutover::Joined& joined, const RepartSpec& spec,
                             const std::string& beside) {
  Texts names = joined.referenced;
  names.push_back(spec.parent);
  if (!beside.empty()) names.push_back(beside);
  names.insert(names.end(), joined.referencing.begin(), joined.referencing.end());
  lock::LockRequest request;
  for (const std::string& name : names)
    if (auto parsed = sql::ParseQualifiedName(name)) request.tables.push_back(std::move(*parsed));
  return request;
}

Task<Rejoined> ReadRejoined(run::Environment& env, const RepartSpec& spec, Texts from, Joins joins,
                            const char* verb) {
  const std::string off = co_await dependants::FindKeyTriggersOff(
      env.main, spec.parent_oid, dependants::KeyTriggers::kInTheWay);
  if (!off.empty()) Refuse(env, spec, off, verb);
  for (const std::string& table : co_await ReferringTables(env.main, spec.parent_oid)) {
    if (!joins.has_settle)
      Refuse(env, spec,
             fmt::format("a foreign key of {} refers to the whole, and this run, which another "
                         "version of pgalter has begun, would not validate it again: drop it "
                         "before, and add it again after; or abort, and begin again",
                         table),
             verb);
    const Texts& locked = joins.locked.referencing;
    if (table != spec.parent && std::ranges::find(locked, table) == locked.end())
      Refuse(env, spec, fmt::format("a foreign key of {} has come at this moment", table), verb);
  }
  cutover::Staying staying;
  const Later& unsettled = joins.unsettled;
  staying.unsettled = co_await cutover::AllAsOfNow(env.main, unsettled.validate, unsettled.on);
  staying.unadopted = co_await cutover::AllAsOfNow(env.main, unsettled.adopt, unsettled.on);
  Exchanged exchanged{spec.parent, std::move(from), NewPartitions(spec)};
  SelfKeys own = co_await ReadSelfKeys(env.main, spec.parent_oid, std::move(exchanged), staying);
  if (!own.stranger.empty())
    Refuse(env, spec,
           fmt::format("{} is of that partition alone and refers to the whole: drop it before, and "
                       "add it to the whole after",
                       own.stranger),
           verb);
  cutover::CarryOver carry =
      co_await cutover::ReadInboundKeys(env.main, spec.parent_oid, std::move(staying));
  Rejoined rejoined;
  rejoined.before = std::move(carry.before);
  rejoined.after = std::move(carry.after);
  rejoined.later = {std::move(carry.validate), std::move(carry.adopt), {}};
  Append(rejoined.before, std::move(own.before));
  Append(rejoined.after, std::move(own.after));
  Append(rejoined.later.validate, std::move(own.later.validate));
  Append(rejoined.later.adopt, std::move(own.later.adopt));
  co_return rejoined;
}

}  // namespace pgalter::partition
