#include "batcher/partition/merge_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "batcher/cutover/carry_over.h"
#include "batcher/cutover/old_snapshots.h"
#include "batcher/partition/release_step.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/run/undo.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;
using Texts = std::vector<std::string>;

namespace {

constexpr const char* kMerged = "merged";  // in the run's spec
constexpr const char* kMade = "pgalter_merged";
constexpr const char* kOurs = "pgalter";  // our own schema
constexpr std::int64_t kMostBytes = 256LL * 1024 * 1024;

// What the merged one has of the first: columns that are written, owner, storage.
constexpr const char* kFirst = R"sql(
SELECT (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
       quote_ident(pg_get_userbyid(c.relowner)),
       CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
       coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '')
         || coalesce(' TABLESPACE ' || quote_ident(t.spcname), '')
FROM pg_class c LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid = $1::regclass
)sql";

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

// "FOR VALUES IN ('a', 'b')" -> "'a', 'b'"
std::string ListOf(const Member& member) {
  const std::size_t open = member.bound.find('(');
  return member.bound.substr(open + 1, member.bound.size() - open - 2);
}

// In the order of their bounds, since members are.
std::vector<Member> Chosen(const std::vector<Member>& members,
                           const std::vector<pg::Oid>& partitions) {
  std::vector<Member> chosen;
  for (const Member& member : members)
    if (std::ranges::count(partitions, member.oid) > 0) chosen.push_back(member);
  return chosen;
}

Task<Bound> BoundOf(Session& session, const Whole& whole, const std::vector<Member>& members,
                    const std::vector<Member>& chosen) {
  if (whole.strategy == Strategy::kList) {
    Texts lists;
    for (const Member& member : chosen) lists.push_back(ListOf(member));
    Bound bound;
    bound.text = fmt::format("FOR VALUES IN ({})", fmt::join(lists, ", "));
    bound.inside = fmt::format("{} IN ({})", whole.column, fmt::join(lists, ", "));
    co_return bound;
  }
  for (std::size_t i = 1; i < chosen.size(); ++i)
    if (!chosen[i - 1].to || chosen[i].from != chosen[i - 1].to)
      RefuseUsage(fmt::format("{} does not begin where {} ends: only neighbours become one range",
                              chosen[i].name, chosen[i - 1].name));
  std::vector<Member> others;
  for (const Member& member : members) {
    const bool merged =
        std::ranges::any_of(chosen, [&](const Member& one) { return one.oid == member.oid; });
    if (!merged) others.push_back(member);
  }
  BoundWish wish;
  wish.from = chosen.front().from.value_or("MINVALUE");
  wish.to = chosen.back().to.value_or("MAXVALUE");
  co_return co_await SettleBound(session, whole, others, std::move(wish));
}

class Merging {
 public:
  Merging(run::Environment& env, const RepartSpec& spec, Texts merged)
      : env_(env), session_(env.main), spec_(spec), merged_(std::move(merged)) {}

  // In the transaction that holds the locks.
  Task<> Run() {
    co_await guard::CheckLease(session_, env_.lease);
    co_await cutover::AwaitOldSnapshots(session_);
    const pg::Result names = co_await session_.db().Query(kFirst, merged_.front());
    const auto columns = names.Get<std::string>(0, 0);
    const Target& target = spec_.targets.front();
    const std::string made = spec_.home + "." + kMade;
    Texts statements;
    statements.push_back(fmt::format(
        "CREATE {}TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
        "INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS){}",
        names.Get<std::string>(0, 2), made, merged_.front(), names.Get<std::string>(0, 3)));
    statements.push_back(
        fmt::format("ALTER TABLE {} OWNER TO {}", made, names.Get<std::string>(0, 1)));
    if (async::SafeguardOn("merge-rows"))
      for (const std::string& partition : merged_)
        statements.push_back(
            fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM ONLY {}", made,
                        columns, columns, partition));
    if (!target.inside.empty())
      statements.push_back(fmt::format("ALTER TABLE {} ADD CONSTRAINT pgalter_bound CHECK ({})",
                                       made, target.inside));
    for (const std::string& partition : merged_) {
      statements.push_back(
          fmt::format("ALTER TABLE {} DETACH PARTITION {}", spec_.parent, partition));
      statements.push_back("DROP TABLE " + partition);
    }
    const std::string name = spec_.home + "." + target.becomes;
    statements.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", made, target.becomes));
    statements.push_back(
        fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", spec_.parent, name, target.bound));
    if (!target.inside.empty())
      statements.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT pgalter_bound", name));
    for (const std::string& form : spec_.alike)
      statements.push_back(fmt::format(fmt::runtime(form), name));
    if (!spec_.rest.empty())
      statements.push_back(
          fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS pgalter_outside", spec_.rest));
    const Texts partitions = NewPartitions(spec_);
    for (std::string& sql : co_await GuardWhole(env_, kOurs, spec_.parent, partitions))
      statements.push_back(std::move(sql));
    std::vector<pg::Statement> batch;
    for (const std::string& sql : statements) batch.push_back({sql, {}});
    co_await session_.db().Pipeline(std::move(batch));
    co_await RecordWholeGuard(env_, kOurs, spec_.parent, partitions);
    async::FailPoint("merged");
  }

 private:
  run::Environment& env_;
  Session& session_;
  const RepartSpec& spec_;
  Texts merged_;
};

Texts MergedOf(const state::Run& run) {
  Texts merged;
  for (const auto& name : run.spec.at(kMerged).as_array())
    merged.emplace_back(name.as_string().c_str());
  return merged;
}

}  // namespace

Task<PreparedMerge> PrepareMerge(Session& session, std::vector<std::string> partitions,
                                 std::string name) {
  std::vector<pg::Oid> oids;
  FoundMember found;
  for (const std::string& partition : partitions) {
    FoundMember next = co_await FindMember(session, partition);
    if (!oids.empty() && next.whole.table.oid != found.whole.table.oid)
      RefuseUsage(fmt::format("{} and {} are not partitions of the same table", found.member.name,
                              next.member.name));
    if (std::ranges::count(oids, next.member.oid) > 0)
      RefuseUsage(fmt::format("{} is named twice", next.member.name));
    oids.push_back(next.member.oid);
    found = std::move(next);
  }
  const Whole& whole = found.whole;
  if (whole.strategy == Strategy::kHash || whole.column.empty())
    RefuseUsage(fmt::format("{} is not parted by ranges or lists of one column", whole.table.name));
  const std::vector<Member> chosen = Chosen(found.members, oids);
  PreparedMerge prepared;
  for (const Member& member : chosen) {
    if (member.is_default)
      RefuseUsage(
          fmt::format("{} is the default partition: rows do not go back there", member.name));
    co_await RefuseRepart(session, whole, member);
    prepared.rows += member.rows;
    prepared.bytes += member.bytes;
    prepared.merged.push_back(member.name);
  }
  if (prepared.bytes > kMostBytes)
    throw Failure(
        ExitCode::kRefused,
        fmt::format("the partitions have {} MB, and their rows are moved while users wait: "
                    "more than {} MB are not. Nothing was changed",
                    prepared.bytes / (1024 * 1024), kMostBytes / (1024 * 1024)));
  const Member& first = chosen.front();
  prepared.first = first.oid;
  RepartSpec& spec = prepared.spec;
  spec.parent = whole.table.name;
  spec.parent_oid = whole.table.oid;
  const std::string quoted = QuoteIdentifier(first.relname);
  spec.home = first.name.substr(0, first.name.size() - quoted.size() - 1);
  const Bound bound = co_await BoundOf(session, whole, found.members, chosen);
  Target target;
  target.name = kMade;
  target.becomes = QuoteIdentifier(name.empty() ? first.relname : name);
  target.bound = bound.text;
  target.inside = bound.inside;
  const bool own_name = std::ranges::any_of(chosen, [&](const Member& member) {
    return QuoteIdentifier(member.relname) == target.becomes;
  });
  const std::string becomes = spec.home + "." + target.becomes;
  const pg::Result taken =
      co_await session.db().Query("SELECT to_regclass($1) IS NOT NULL", becomes);
  if (!own_name && taken.Get<bool>(0, 0))
    throw Failure(ExitCode::kRefused,
                  fmt::format("there is a relation {} already: give another --name. Nothing was "
                              "changed",
                              becomes));
  spec.targets.push_back(std::move(target));
  spec.rest = whole.rest;
  if (!spec.rest.empty()) spec.outside = fmt::format("NOT ({})", bound.inside);
  spec.alike = co_await LikeTheOld(session, first.oid);
  co_return prepared;
}

Task<std::string> CreateMergeRun(Session& session, const PreparedMerge& prepared) {
  state::Run run;
  run.id = state::NewRunId();
  run.command = "partition merge";
  run.target = prepared.spec.parent;
  run.relid = prepared.spec.parent_oid;
  boost::json::array merged;
  for (const std::string& name : prepared.merged) merged.emplace_back(name);
  run.spec[kMerged] = std::move(merged);
  run.spec[kRepart] = ToJson(prepared.spec);
  run.phase = "starting";
  run.total_rows = static_cast<std::int64_t>(prepared.rows);
  std::vector<state::Step> steps = OutsideSteps(prepared.spec);
  state::Step merge;
  merge.ordinal = static_cast<int>(steps.size()) + 1;
  merge.id = merge.kind = "partition-merge";
  merge.phase = "contract";
  merge.spec[run::kNoReturn] = true;
  steps.push_back(std::move(merge));
  state::Step release;
  release.ordinal = static_cast<int>(steps.size()) + 1;
  release.id = release.kind = "partition-release";
  release.phase = "contract";
  steps.push_back(std::move(release));
  auto create = [&]() -> Task<> {
    co_await state::CreateRun(session, run);
    co_await state::CreateSteps(session, run.id, steps);
  };
  co_await guard::RunInTransaction(session, create);
  co_return run.id;
}

run::Task<bool> MergeStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> MergeStep::Do(run::Environment& env, const state::Step& step) {
  const RepartSpec spec = RepartFromJson(env.run.spec.at(kRepart).as_object());
  const cutover::Joined joined = co_await cutover::ReadJoined(env.main, spec.parent_oid);
  Texts names = joined.referenced;
  names.push_back(spec.parent);
  lock::LockRequest request;
  for (const std::string& name : names)
    if (auto parsed = sql::ParseQualifiedName(name)) request.tables.push_back(std::move(*parsed));
  lock::Work work;
  auto before = [&]() -> Task<> { co_await cutover::AwaitOldSnapshots(env.main); };
  work.before = before;
  work.lock = std::move(request);
  auto body = [&]() -> Task<> {
    Merging merging(env, spec, MergedOf(env.run));
    co_await merging.Run();
  };
  work.body = body;
  auto record = [&]() -> Task<> {
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  work.record = record;
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome =
      co_await lock::RunUnderLadder(env.main, env.observer, std::move(work), options, env.stopper);
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("the partitions of {} were not merged: {}. Nothing changed for its "
                              "users. At a quieter time: pgalter resume {}",
                              spec.parent, fmt::join(lock::Lines(outcome), "\n"), env.run.id));
  async::FailPoint("merge-committed");
  env.progress.remark =
      fmt::format("users were blocked for at most {} ms", outcome.report.longest_blocked.count());
}

run::Task<> MergeStep::Undo(run::Environment& env, const state::Step& step) {
  if (step.state != state::StepState::kDone) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("run {} has merged its partitions, which is not taken back: pgalter "
                            "partition split parts them again",
                            env.run.id));
}

}  // namespace pgalter::partition
