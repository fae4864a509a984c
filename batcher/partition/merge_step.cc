#include "batcher/partition/merge_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "batcher/partition/alike.h"
#include "batcher/partition/key_value.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/regroup.h"
#include "batcher/partition/rejoin.h"
#include "batcher/partition/taken.h"
#include "engine/async/fail_point.h"
#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/state/json_texts.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;
using Texts = std::vector<std::string>;

namespace {

constexpr const char* kMade = "pgalter_merged";

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

// In the order of their bounds, since members are.
std::vector<Member> Chosen(const std::vector<Member>& members,
                           const std::vector<pg::Oid>& partitions) {
  std::vector<Member> chosen;
  for (const Member& member : members)
    if (std::ranges::count(partitions, member.oid) > 0) chosen.push_back(member);
  return chosen;
}

// Of several columns the server's texts have no order: each behind the one that ends where it
// begins. What is no neighbour stays at the end, where it is found.
std::vector<Member> InOrder(std::vector<Member> members) {
  const auto follows = [](const Member& next, const Member& before) {
    return !next.first.empty() && next.first == before.last;
  };
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto first = std::find_if(
        members.begin() + static_cast<std::ptrdiff_t>(i), members.end(), [&](const Member& member) {
          if (i > 0) return follows(member, members[i - 1]);
          return std::ranges::none_of(
              members, [&](const Member& before) { return follows(member, before); });
        });
    if (first != members.end()) std::swap(*first, members[i]);
  }
  return members;
}

Task<Bound> BoundOf(Session& session, const Whole& whole, const std::vector<Member>& members,
                    const std::vector<Member>& chosen) {
  if (whole.strategy == Strategy::kList && !whole.column.empty()) {
    Texts literals;
    for (const Member& member : chosen)
      for (const Given& value : member.values) literals.push_back(LiteralOf(value));
    Bound bound;
    bound.text = fmt::format("FOR VALUES IN ({})", fmt::join(literals, ", "));
    bound.inside = AmongOf(whole, literals);
    bound.outside = NotAmongOf(whole, literals);
    co_return bound;
  }
  BoundWish wish;
  const bool lists = whole.strategy == Strategy::kList;
  for (std::size_t i = 1; !lists && i < chosen.size(); ++i)
    if (chosen[i - 1].last.empty() || chosen[i].first != chosen[i - 1].last)
      RefuseUsage(fmt::format("{} does not begin where {} ends: only neighbours become one range",
                              chosen[i].name, chosen[i - 1].name));
  std::vector<Member> others;
  for (const Member& member : members) {
    const bool merged =
        std::ranges::any_of(chosen, [&](const Member& one) { return one.oid == member.oid; });
    if (!merged) others.push_back(member);
  }
  wish.from = chosen.front().first;
  wish.to = chosen.back().last;
  for (const Member& member : chosen)
    wish.values.insert(wish.values.end(), member.values.begin(), member.values.end());
  co_return co_await SettleBound(session, whole, others, std::move(wish));
}

Texts MergedOf(const state::Run& run) {
  Texts merged;
  for (const auto& name : run.spec.at(kMerged).as_array())
    merged.emplace_back(name.as_string().c_str());
  return merged;
}

}  // namespace

namespace {

// What the user has named: the whole, all its partitions, and those that are merged.
struct Named {
  Whole whole;
  std::vector<Member> members;
  std::vector<Member> chosen;
};

Task<Named> Find(Session& session, std::vector<std::string> partitions) {
  std::vector<pg::Oid> oids;
  FoundMember found;
  for (const std::string& partition : partitions) {
    FoundMember next = co_await FindMember(session, partition);
    co_await RefuseStranger(session, next.whole.table.oid);
    co_await RefuseStranger(session, next.member.oid);
    if (!oids.empty() && next.whole.table.oid != found.whole.table.oid)
      RefuseUsage(fmt::format("{} and {} are not partitions of the same table", found.member.name,
                              next.member.name));
    if (std::ranges::count(oids, next.member.oid) > 0)
      RefuseUsage(fmt::format("{} is named twice", next.member.name));
    oids.push_back(next.member.oid);
    found = std::move(next);
  }
  if (found.whole.strategy == Strategy::kHash)
    RefuseUsage(
        fmt::format("{0} is parted by hash, of which no two become one: another modulus takes a "
                    "rebuild, pgalter rebuild {0} --definition FILE",
                    found.whole.table.name));
  Named named;
  named.chosen = InOrder(Chosen(found.members, oids));
  named.whole = std::move(found.whole);
  named.members = std::move(found.members);
  co_return named;
}

constexpr std::int64_t kMb = 1024 * 1024;

// Those that fit are moved: no copy, and no disk for it.
Task<Moving> MovingOf(Session& session, const Whole& whole, std::int64_t bytes,
                      async::Milliseconds budget) {
  if (bytes <= std::min(MostRegrouped(), MovedWithin(budget))) co_return Moving::kUnderLock;
  const bool has_key = co_await TellsRowsApart(session, whole.table.oid);
  if (has_key) co_return Moving::kByCopy;
  if (bytes > MostRegrouped())
    throw Failure(
        ExitCode::kRefused,
        fmt::format("the partitions have {} MB, and no unique index over NOT NULL columns tells "
                    "their rows apart: without one no copy could follow what users change, and "
                    "more than {} MB are not moved while they wait. Add a primary key to {}, or "
                    "merge fewer at a time. Nothing was changed",
                    bytes / kMb, MostRegrouped() / kMb, whole.table.name));
  co_return Moving::kUnderLock;
}

// Quoted, without schema; `schema`: quoted.
std::string NameIn(const std::string& schema, const Member& member) {
  const std::string name = QuoteIdentifier(member.relname);
  if (member.name == schema + "." + name) return name;
  throw Failure(ExitCode::kRefused,
                fmt::format("cannot make one partition of them: {} is not in the schema {}, where "
                            "the others are, and what is copied is set aside in one. ALTER TABLE "
                            "{} SET SCHEMA {} before. Nothing was changed",
                            member.name, schema, member.name, schema));
}

Task<> RefuseTakenName(Session& session, const RepartSpec& spec, const Target& target,
                       Moving moving) {
  const std::string becomes = spec.home + "." + target.becomes;
  const pg::Result taken =
      co_await session.db().Query("SELECT to_regclass($1) IS NOT NULL", becomes);
  if (taken.Get<bool>(0, 0))
    throw Failure(ExitCode::kRefused,
                  fmt::format("there is a relation {} already: give another --name. Nothing was "
                              "changed",
                              becomes));
  const Arrival arrival = moving == Moving::kByCopy ? Arrival::kMovedThere : Arrival::kMadeThere;
  Place place;
  place.home = spec.home;
  place.name = target.becomes;
  co_await RefuseTaken(session, std::move(place), arrival);
}

// What MakeParts refuses of one may be any of them.
Task<> PrepareCopies(Session& session, const Named& named, PreparedRepart& repart) {
  for (auto member = named.chosen.rbegin(); member != named.chosen.rend(); ++member)
    co_await PrepareCopy(session, named.whole, *member, repart);
}

Task<> SettleMerge(Session& session, const Named& named, std::string name, PreparedRepart& repart) {
  const std::vector<Member>& chosen = named.chosen;
  const Member& first = chosen.front();
  RepartSpec& spec = repart.spec;
  spec.parent = named.whole.table.name;
  spec.parent_oid = named.whole.table.oid;
  spec.rest = named.whole.rest;
  const std::string quoted = QuoteIdentifier(first.relname);
  spec.home = first.name.substr(0, first.name.size() - quoted.size() - 1);
  const Bound bound = co_await BoundOf(session, named.whole, named.members, chosen);
  Target target;
  target.name = kMade;
  target.becomes = QuoteIdentifier(name.empty() ? first.relname : name);
  target.bound = bound.text;
  target.inside = bound.inside;
  const bool own_name = std::ranges::any_of(chosen, [&](const Member& member) {
    return QuoteIdentifier(member.relname) == target.becomes;
  });
  if (!own_name) co_await RefuseTakenName(session, spec, target, repart.moving);
  // What is copied has its name from the start, and its indexes theirs, where nothing is in its
  // way.
  if (!own_name && repart.moving == Moving::kByCopy) target.name = target.becomes;
  spec.targets.push_back(std::move(target));
  if (!spec.rest.empty()) spec.outside = bound.outside;
  if (repart.moving == Moving::kUnderLock) co_return;
  spec.source = quoted;
  for (std::size_t i = 1; i < chosen.size(); ++i) {
    spec.also.push_back(NameIn(spec.home, chosen[i]));
    repart.also.push_back(chosen[i].oid);
  }
}

}  // namespace

Task<PreparedMerge> PrepareMerge(Session& session, MergeWish wish) {
  RefuseLongName(wish.name);
  const Named named = co_await Find(session, std::move(wish.partitions));
  PreparedMerge prepared;
  PreparedRepart& repart = prepared.repart;
  repart.ladder.hold_budget = wish.hold_budget;
  for (const Member& member : named.chosen) {
    if (member.is_default)
      RefuseUsage(
          fmt::format("{} is the default partition: rows do not go back there", member.name));
    repart.rows += member.rows;
    repart.bytes += member.bytes;
    prepared.merged.push_back(member.name);
  }
  repart.moving = co_await MovingOf(session, named.whole, repart.bytes, wish.hold_budget);
  for (const Member& member : named.chosen)
    co_await RefuseRepart(session, named.whole, member, repart.moving);
  const std::string unlike = co_await FindUnlike(session, prepared.merged);
  if (!unlike.empty())
    throw Failure(
        ExitCode::kRefused,
        fmt::format("cannot make one partition of them: {}. Nothing was changed", unlike));
  co_await SettleMerge(session, named, std::move(wish.name), repart);
  repart.back = co_await KeepTheOld(session, named.chosen);
  repart.referring = co_await ReferringTables(session, named.whole.table.oid);
  if (repart.moving == Moving::kByCopy) co_await PrepareCopies(session, named, repart);
  co_return prepared;
}

Task<std::string> CreateMergeRun(Session& session, const PreparedMerge& prepared) {
  const PreparedRepart& repart = prepared.repart;
  if (repart.moving == Moving::kByCopy)
    co_return co_await CreateRepartRun(session, repart, "partition merge");
  state::Run run;
  run.id = state::NewRunId();
  run.command = "partition merge";
  run.target = repart.spec.parent;
  run.relid = repart.spec.parent_oid;
  run.spec[kMerged] = state::ArrayOf(prepared.merged);
  run.spec[kBack] = repart.back;
  run.spec[kRepart] = ToJson(repart.spec);
  run.spec[run::kPace] = run::ToJson(prepared.pace);
  run.spec["settings"] = guard::ToJson(co_await guard::RoleSettings(session));
  run::PlanSpec spec;
  spec.ladder = repart.ladder;
  run.spec["ladder"] = run::ToJson(spec).at("ladder");
  run.phase = "starting";
  const std::vector<state::Step> steps = RegroupSteps(repart.spec);
  auto create = [&]() -> Task<> {
    co_await state::CreateRun(session, run);
    co_await state::CreateSteps(session, run.id, steps);
  };
  co_await guard::RunInTransaction(session, create);
  co_return run.id;
}

run::Task<bool> MergeStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> MergeStep::Do(run::Environment& env, const state::Step& step) {
  Regrouping merging;
  merging.spec = RepartFromJson(env.run.spec.at(kRepart).as_object());
  merging.from = MergedOf(env.run);
  const async::Milliseconds blocked = co_await Regroup(env, step, merging);
  async::FailPoint("merge-committed");
  std::string& remark = env.progress.remark;
  remark += fmt::format("{}users were blocked for at most {} ms", remark.empty() ? "" : "; ",
                        blocked.count());
}

run::Task<> MergeStep::Undo(run::Environment& env, const state::Step& step) {
  co_await RegroupBack(env, step);
}

run::Task<bool> MergeStep::StillStands(run::Environment&, const state::Step& step) {
  co_return !IsRegroupedBack(step);
}

}  // namespace pgalter::partition
