#include "batcher/cutover/swap.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "batcher/capture/catch_up.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/capture/triggers.h"
#include "batcher/copy/pace.h"
#include "batcher/cutover/grants.h"
#include "batcher/cutover/keys_back.h"
#include "batcher/cutover/lock_order.h"
#include "batcher/cutover/snapshot_guard.h"
#include "batcher/cutover/swap_checks.h"
#include "batcher/cutover/twins.h"
#include "batcher/cutover/unsettled.h"
#include "batcher/cutover/views_over.h"
#include "batcher/dependants/by_place.h"
#include "batcher/dependants/key_triggers.h"
#include "batcher/dependants/labels.h"
#include "batcher/dependants/obstacles.h"
#include "batcher/dependants/publications.h"
#include "batcher/rebuild/obstacles.h"
#include "batcher/rebuild/spec.h"
#include "batcher/rebuild/views_anew.h"
#include "engine/async/fail_point.h"
#include "engine/guard/execute.h"
#include "engine/guard/transaction.h"
#include "engine/lock/ask_ahead.h"
#include "engine/run/failure.h"
#include "engine/run/old_snapshots.h"
#include "engine/state/artefacts.h"
#include "planner/sql/identifier.h"

namespace pgalter::cutover {

using capture::Flow;
using run::ExitCode;
using run::Failure;

namespace {

using Texts = std::vector<std::string>;
using Records = std::vector<pg::Statement>;
using Replacements = std::vector<rebuild::Replaced>;
using Views = std::vector<rebuild::ViewAnew>;
// Where none needs what another asks for, users wait for one round trip, not for one of each.
using Asks = std::vector<std::function<Task<>()>>;

constexpr async::Milliseconds kLongestWaitForTriggers{2000};

std::string Again(const run::Environment& env, const Swap& swap) {
  return swap.back ? fmt::format("pgalter revert {} --yes", env.run.id)
                   : fmt::format("pgalter resume {}", env.run.id);
}

Task<Swap> ReadSwap(run::Environment& env, rebuild::Stored stored, Flow flow, Way way) {
  Swap swap;
  swap.back = way == Way::kBack;
  swap.stored = std::move(stored);
  swap.flow = std::move(flow);
  const pg::Result names = co_await env.main.db().Query(
      "SELECT quote_ident(n.nspname), quote_ident(l.relname), quote_ident(c.relname)"
      " FROM pg_class l JOIN pg_namespace n ON n.oid = l.relnamespace, pg_class c"
      " WHERE l.oid = $1 AND c.oid = $2",
      swap.flow.from_oid, swap.flow.to_oid);
  swap.schema = names.Get<std::string>(0, 0);
  swap.relname = names.Get<std::string>(0, 1);
  swap.aside = swap.back ? swap.stored.schema : swap.stored.schema + "_old";
  swap.going = rebuild::OfTable(rebuild::FromJson(env.run.spec), swap.stored.number).going;
  swap.joined = co_await ReadJoined(env.main, swap.flow.from_oid);
  if (swap.back) co_await JoinFormer(env.main, swap.going.keys, swap.flow.from, swap.joined);
  if (names.Get<std::string>(0, 2) != swap.relname)
    throw Failure(
        ExitCode::kRefused,
        fmt::format("{} was renamed while run {} worked on it: name it as before, then: {}",
                    swap.flow.from, env.run.id, Again(env, swap)));
  co_return swap;
}

void Append(Texts& texts, Texts more) {
  for (std::string& text : more) texts.push_back(std::move(text));
}

Task<> Write(Session& session, Records records) {
  if (!records.empty()) co_await session.db().Pipeline(std::move(records));
}

state::Artefact Artefact(const std::string& run, const char* kind, std::string name,
                         pg::Oid relid = 0) {
  state::Artefact artefact;
  artefact.run = run;
  artefact.kind = kind;
  artefact.name = std::move(name);
  artefact.relid = relid;
  return artefact;
}

void AddTriggers(const run::Environment& env, const Flow& back, Records& records) {
  std::vector<state::Artefact> artefacts;
  for (const std::string& trigger : {back.trigger(), back.truncate_trigger()})
    artefacts.push_back(Artefact(env.run.id, "trigger", trigger, back.from_oid));
  artefacts.push_back(Artefact(env.run.id, "function", back.function() + "()"));
  for (const state::Artefact& artefact : artefacts)
    records.push_back(state::RecordArtefactStatement(artefact));
}

SnapshotGuard GuardFor(const run::Environment& env, const Swap& swap) {
  return GuardOf(env.run.id, swap.stored.schema, swap.stored.number);
}

// On the table that comes and its partitions, by PrepareTriggers or, where what it made is not
// whole or is not of these partitions, here; those of the way there go on the way back, from
// partitions that users have detached since, too.
Task<Texts> GuardSnapshots(run::Environment& env, const Swap& swap, Texts partitions) {
  const SnapshotGuard guard = GuardFor(env, swap);
  bool sleeps = false;
  if (!swap.back) sleeps = co_await Sleeps(env.main, guard, swap.flow.to, partitions);
  if (sleeps) co_return co_await WakeGuard(env.main, guard);
  Texts statements = co_await DropGuard(env.main, guard);
  Append(statements, co_await MakeGuard(env.main, guard, swap.flow.to, std::move(partitions)));
  co_return statements;
}

// The table's own last: it is dropped first, as users lock them.
void AddGuard(const run::Environment& env, const Swap& swap, Texts tables, Records& records) {
  if (!async::SafeguardOn("snapshot-guard")) return;
  const SnapshotGuard guard = GuardFor(env, swap);
  if (!async::SafeguardOn("snapshot-guard-of-partitions")) tables.clear();
  Texts triggers;
  for (std::size_t i = 0; i < tables.size(); ++i) triggers.push_back(guard.TriggerOf(i));
  triggers.push_back(guard.trigger);
  tables.push_back(swap.flow.to);
  records.push_back(state::RecordTriggersStatement(env.run.id, triggers, tables));
  const state::Artefact function = Artefact(env.run.id, "function", guard.function + "()");
  records.push_back(state::RecordArtefactStatement(function));
}

// A partition does not follow its table into another schema.
Task<Texts> Moves(Session& session, const Swap& swap, const Texts& coming) {
  std::vector<std::pair<std::string, std::string>> moves;
  moves.emplace_back(swap.flow.from, swap.aside);
  Texts leaving;
  if (swap.flow.from_partitioned)
    leaving = co_await capture::ReadPartitions(session, swap.flow.from_oid);
  for (std::string& name : leaving) moves.emplace_back(std::move(name), swap.aside);
  moves.emplace_back(swap.flow.to, swap.schema);
  for (const std::string& name : coming) moves.emplace_back(name, swap.schema);
  Texts statements;
  for (const auto& [table, schema] : moves)
    statements.push_back(fmt::format("ALTER TABLE {} SET SCHEMA {}", table, schema));
  co_return statements;
}

// Of one table, while all have their old names, when they have the new ones, and later.
struct Statements {
  Texts before;
  Texts moves;
  Texts after;
  CarryOver carry;
};

Staying StayingOf(const Swap& swap, const std::vector<std::int64_t>& leaving,
                  const std::vector<std::int64_t>& views_anew) {
  const rebuild::Definition& definition = swap.stored.definition;
  Staying staying;
  if (!swap.back) staying.going = rebuild::AddsOf(swap.going);
  staying.views_anew = views_anew;
  staying.alike = definition.alike;
  staying.noted = definition.noted;
  if (!swap.back) staying.checks = definition.checks;
  staying.renamed = definition.renamed;
  if (swap.back)
    for (rebuild::SameColumn& column : staying.renamed) std::swap(column.from, column.to);
  for (const std::int64_t oid : leaving)
    if (oid != static_cast<std::int64_t>(swap.flow.from_oid)) staying.companions.push_back(oid);
  return staying;
}

Task<CarryOver> ReadCarried(run::Environment& env, const Swap& swap, Staying staying) {
  const rebuild::Definition& definition = swap.stored.definition;
  staying.unsettled = co_await AllAsOfNow(env.main, definition.validate, definition.settled_on);
  staying.unadopted = co_await AllAsOfNow(env.main, definition.adopt, definition.settled_on);
  co_return co_await ReadCarryOver(env.main, swap.flow.from_oid, swap.flow.to_oid, swap.flow.from,
                                   swap.name_to_be(), std::move(staying));
}

Task<Statements> StatementsOf(run::Environment& env, const Swap& swap, const Coming& coming,
                              const std::vector<std::int64_t>& leaving,
                              const std::vector<std::int64_t>& views_anew) {
  const Flow& flow = swap.flow;
  const rebuild::Definition& definition = swap.stored.definition;
  Statements texts;
  Texts guards;
  KeysBack keys;
  auto carry = [&]() -> Task<> {
    texts.carry = co_await ReadCarried(env, swap, StayingOf(swap, leaving, views_anew));
  };
  auto guard = [&]() -> Task<> { guards = co_await GuardSnapshots(env, swap, coming.partitions); };
  auto moves = [&]() -> Task<> { texts.moves = co_await Moves(env.main, swap, coming.unmoved); };
  auto keys_back = [&]() -> Task<> {
    if (swap.back) keys = co_await ReadKeysBack(env.main, swap.going.keys, flow.from);
  };
  Asks asks{carry, guard, moves, keys_back};
  co_await env.main.db().Together(std::move(asks));
  texts.before = capture::DropTriggers(flow);
  Append(texts.before, std::move(guards));
  if (!swap.back)
    for (const rebuild::Index& index : definition.indexes)
      if (index.helper)
        texts.before.push_back(fmt::format("DROP INDEX {}.{}", swap.stored.schema, index.name));
  if (swap.back) Append(texts.before, definition.sequences);
  Append(texts.before, std::move(texts.carry.before));
  if (!swap.back)
    for (const std::string& check : definition.checks)
      texts.after.push_back(fmt::format("ALTER TABLE {} {}", flow.from, check));
  Append(texts.after, std::move(texts.carry.after));
  Append(texts.after, std::move(keys.after));
  Append(texts.carry.validate, std::move(keys.validate));
  Append(texts.carry.adopt, std::move(keys.adopt));
  if (!swap.back) Append(texts.after, swap.going.make);
  co_return texts;
}

// What the ledger knew of the way so far is gone with it, and the tables that came are users'.
Task<> AddGone(run::Environment& env, const std::vector<Swap>& swaps, Records& records) {
  std::vector<state::Artefact> all_gone;
  for (const state::Artefact& artefact : co_await state::LiveArtefacts(env.main, env.run.id)) {
    if (!rebuild::IsOfRebuild(artefact)) continue;
    bool gone =
        artefact.kind == "trigger" || artefact.kind == "function" || artefact.kind == "matview";
    for (const Swap& swap : swaps)
      gone = gone || (artefact.kind == "table" && artefact.name == swap.flow.to);
    if (gone) all_gone.push_back(artefact);
  }
  records.push_back(state::RecordAllDroppedStatement(env.run.id, all_gone));
}

Task<> AddSwap(run::Environment& env, const Swap& swap, const CarryOver& carry,
               pg::Statement& record) {
  rebuild::Stored stored = swap.stored;
  stored.definition.validate = carry.validate;
  stored.definition.adopt = carry.adopt;
  stored.definition.sequences = swap.back ? Texts() : carry.back;
  rebuild::Definition& made = stored.definition;
  const pg::Oid table = swap.flow.to_oid;
  auto settled = [&]() -> Task<> {
    made.settled_on = co_await ReadSettledOn(env.main, carry.validate, carry.adopt);
  };
  auto outline = [&]() -> Task<> { made.outline = co_await rebuild::ReadOutline(env.main, table); };
  auto noted = [&]() -> Task<> { made.noted = co_await rebuild::ReadNoted(env.main, table); };
  Asks asks{settled, outline, noted};
  co_await env.main.db().Together(std::move(asks));
  record = rebuild::RecordDefinitionStatement(env.run.id, stored);
}

Task<> AddParts(run::Environment& env, const Flow& back, pg::Statement& record) {
  record = co_await capture::RememberPartsStatement(env.main, back);
}

std::vector<std::int64_t> Leaving(const std::vector<Swap>& swaps) {
  std::vector<std::int64_t> tables;
  for (const Swap& swap : swaps) tables.push_back(swap.flow.from_oid);
  return tables;
}

Replacements ReplacedBy(const std::vector<Swap>& swaps, const std::vector<rebuild::Twin>& twins) {
  Replacements replaced;
  for (const Swap& swap : swaps) replaced.push_back({swap.flow.from_oid, swap.flow.to_oid});
  for (const rebuild::Twin& twin : twins) replaced.push_back({twin.of.oid, twin.oid});
  return replaced;
}

// Whose rights the swap gives to others: of partitions where each has one that takes its place.
GrantsOf CarriedBy(const std::vector<Swap>& swaps, const std::vector<rebuild::Twin>& twins,
                   const Views& views_anew) {
  GrantsOf of;
  of.relations = rebuild::OidsOf(views_anew);
  for (const rebuild::Twin& twin : twins) of.relations.push_back(twin.of.oid);
  for (const Swap& swap : swaps)
    (swap.stored.definition.alike ? of.trees : of.relations).push_back(swap.flow.from_oid);
  return of;
}

// Those that the swap drops and makes again.
Task<Views> ReadViewsAnew(run::Environment& env, const std::vector<Swap>& swaps,
                          const std::vector<rebuild::Twin>& twins) {
  const Replacements replaced = ReplacedBy(swaps, twins);
  Views views = co_await rebuild::FindViewsAnew(env.main, replaced);
  const std::string why = co_await rebuild::WhyNotAnew(env.main, views, replaced);
  if (!why.empty())
    throw Failure(
        ExitCode::kRefused,
        fmt::format("{} cannot change places: views over columns of another type are made "
                    "anew, but {}. Nothing was changed by this step. Then: {}",
                    NamesOf(swaps), why, Again(env, swaps.front())));
  co_return views;
}

// Keys join the partitions of a table that leaves, too: these are locked with it, in its turn.
Task<> ForgetParts(Session& session, std::vector<Swap>& swaps) {
  Texts parts;
  for (const Swap& swap : swaps)
    Append(parts, co_await capture::ReadPartitions(session, swap.flow.from_oid));
  const auto is_part = [&parts](const std::string& name) {
    return std::ranges::find(parts, name) != parts.end();
  };
  for (Swap& swap : swaps) {
    std::erase_if(swap.joined.referenced, is_part);
    std::erase_if(swap.joined.referencing, is_part);
  }
}

Task<std::vector<Flow>> FlowsBack(run::Environment& env, const std::vector<Swap>& swaps) {
  std::vector<Flow> flows;
  const bool captures = !swaps.front().back && swaps.front().stored.definition.revertible;
  if (captures) flows = co_await capture::LoadFlows(env.main, env.run.id, "reverse");
  co_return flows;
}

// What comes to be and what goes, in the ledger, before it does, in the same transaction.
Task<> RecordAhead(run::Environment& env, const std::vector<Swap>& swaps, const Ready& ready) {
  Records records;
  co_await AddGone(env, swaps, records);
  for (std::size_t i = 0; i < swaps.size(); ++i) {
    const state::Artefact aside = Artefact(env.run.id, "table", swaps[i].name_to_be());
    records.push_back(state::RecordArtefactStatement(aside));
    AddGuard(env, swaps[i], ready.coming[i].partitions, records);
  }
  for (const Flow& back : ready.flows_back) AddTriggers(env, back, records);
  co_await Write(env.main, std::move(records));
}

Task<> CheckUsers(run::Environment& env, const Swap& swap) {
  co_await dependants::CheckUsersMayChange(env.main, swap.flow.to_oid, swap.flow.from,
                                           Again(env, swap));
}

// What became of the tables and of the run: all that is read, then all that is written, at once.
Task<> CheckAndRecord(run::Environment& env, const std::vector<Swap>& swaps,
                      const std::vector<CarryOver>& carried, const std::vector<Flow>& flows_back) {
  // By itself: it has the server refuse what users could not do.
  for (const Swap& swap : swaps) co_await CheckUsers(env, swap);
  Records records(swaps.size() + flows_back.size());
  Asks asks;
  for (std::size_t i = 0; i < swaps.size(); ++i)
    asks.push_back([&, i]() { return AddSwap(env, swaps[i], carried[i], records[i]); });
  for (std::size_t i = 0; i < flows_back.size(); ++i)
    asks.push_back([&, i]() { return AddParts(env, flows_back[i], records[swaps.size() + i]); });
  co_await env.main.db().Together(std::move(asks));
  records.push_back(
      {"UPDATE pgalter.rebuild SET swapped_at = CASE WHEN $2 THEN NULL ELSE clock_timestamp() END"
       " WHERE run = $1",
       pg::Params::Of(env.run.id, swaps.front().back)});
  co_await Write(env.main, std::move(records));
}

// A switch for tests: what becomes of writes to the other tables where only the first is drained.
bool IsDrained(const Swap& swap) {
  return async::SafeguardOn("final-drain") &&
         (swap.stored.number == 1 || async::SafeguardOn("drain-all"));
}

Task<> PrepareGuard(run::Environment& env, const Swap& swap) {
  const SnapshotGuard guard = GuardFor(env, swap);
  const Texts partitions = co_await capture::ReadPartitions(env.main, swap.flow.to_oid);
  const bool sleeps = co_await Sleeps(env.main, guard, swap.flow.to, partitions);
  if (sleeps) co_return;
  Records records;
  AddGuard(env, swap, partitions, records);
  co_await Write(env.main, std::move(records));
  Texts statements = co_await DropGuard(env.main, guard);
  Append(statements, MakeSleepingGuard(guard, swap.flow.to, partitions));
  co_await Execute(env.main, statements);
}

Task<> PrepareCapture(run::Environment& env, const Flow& back) {
  const bool whole = co_await capture::AreTriggersWhole(env.main, back);
  if (whole) co_return;
  Records records;
  AddTriggers(env, back, records);
  co_await Write(env.main, std::move(records));
  Texts statements = capture::DropTriggers(back);
  Append(statements, capture::MakeSleepingTriggers(back));
  co_await Execute(env.main, statements);
}

// From now on the old table is kept up from the new one: where its triggers sleep, by what is
// returned; else they are made by CaptureAnew, when the tables have their new names.
Task<Texts> WakeCapture(Session& session, const Flow& back) {
  Texts statements;
  const bool whole = co_await capture::AreTriggersWhole(session, back);
  if (!whole) co_return statements;
  statements.push_back(capture::WakeStatement(back));
  if (back.unattended.count() > 0) statements.push_back(capture::ExtendStatement(back));
  co_return statements;
}

Task<> CaptureAnew(Session& session, const Flow& back) {
  Texts statements = capture::DropTriggers(back);
  Append(statements, capture::MakeTriggers(back));
  if (back.unattended.count() > 0) statements.push_back(capture::ExtendStatement(back));
  co_await Execute(session, statements);
}

void AddChecks(run::Environment& env, const Swap& swap, const std::vector<std::int64_t>& leaving,
               const dependants::Matviews& matviews, Asks& checks) {
  Session& main = env.main;
  const Flow& flow = swap.flow;
  const std::string again = Again(env, swap);
  // Partitions that came since the way there are no reason to stay there.
  const rebuild::Partitions partitions = swap.stored.definition.alike && !swap.back
                                             ? rebuild::Partitions::kTheSame
                                             : rebuild::Partitions::kFollowed;
  checks.push_back([&]() { return CheckCapture(main, flow, env.run.id); });
  if (!swap.back) checks.push_back([&]() { return RefuseFoundDifferent(main, flow, env.run.id); });
  checks.push_back([&, again, partitions]() {
    return rebuild::RefuseAltered(main, flow.from_oid, flow.from, swap.stored.definition.outline,
                                  partitions, again);
  });
  checks.push_back([&, again]() {
    return dependants::RefuseObstacle(main, flow.from_oid, flow.from, again, matviews);
  });
  const auto key_triggers =
      flow.to_partitioned ? dependants::KeyTriggers::kInTheWay : dependants::KeyTriggers::kFollow;
  checks.push_back([&, again, key_triggers]() {
    return dependants::RefuseKeyTriggersOff(main, flow.from_oid, flow.from, again, key_triggers);
  });
  checks.push_back([&, again]() {
    return dependants::RefuseByPlace(main, flow.from_oid, flow.to_oid, flow.from, again);
  });
  if (flow.to_partitioned && !flow.from_partitioned)
    checks.push_back([&, again]() {
      return dependants::RefuseLabelToBeLost(main, flow.from_oid, flow.from, again);
    });
  checks.push_back([&, again]() {
    return dependants::RefuseUnfitPublication(main, flow.from_oid, flow.to_oid, flow.from, again);
  });
  checks.push_back(
      [&, again]() { return RefuseTakenNames(main, swap.schema, flow.to_oid, leaving, again); });
  if (flow.from_partitioned)
    checks.push_back([&]() { return rebuild::RefuseHalfDetached(main, flow.from, flow.from_oid); });
  if (swap.back) return;
  if (flow.from_partitioned)
    checks.push_back(
        [&]() { return rebuild::RefuseWhatPartitionsHave(main, flow.from, flow.from_oid); });
  checks.push_back([&, again]() {
    return rebuild::RefuseOtherKeys(main, flow.from, flow.from_oid, flow.to_oid, swap.going, again);
  });
}

Task<Ready> ReadReady(run::Environment& env, const std::vector<Swap>& swaps) {
  Ready ready;
  for (const Swap& swap : swaps) {
    Coming coming = co_await ReadComing(env.main, swap.flow.to_oid, swap.schema);
    ready.coming.push_back(std::move(coming));
  }
  ready.flows_back = co_await FlowsBack(env, swaps);
  co_return ready;
}

// What the statements of a swap are made of.
struct Read {
  std::string granted;
  std::vector<Statements> all;
  std::vector<Texts> wakes;
};

Task<Read> ReadAll(run::Environment& env, const std::vector<Swap>& swaps,
                   const std::vector<Coming>& coming, const std::vector<Flow>& flows_back,
                   const GrantsOf& carried_by, const Views& views) {
  const std::vector<std::int64_t> leaving = Leaving(swaps);
  const std::vector<std::int64_t> views_anew = rebuild::OidsOf(views);
  Read read;
  read.all.resize(swaps.size());
  read.wakes.resize(flows_back.size());
  auto grants = [&]() -> Task<> { read.granted = co_await ReadGrants(env.main, carried_by); };
  auto statements = [&](std::size_t i) -> Task<> {
    read.all[i] = co_await StatementsOf(env, swaps[i], coming[i], leaving, views_anew);
  };
  auto wakes = [&](std::size_t i) -> Task<> {
    read.wakes[i] = co_await WakeCapture(env.main, flows_back[i]);
  };
  // Rights first: what is carried over is to be read after what it is compared with.
  Asks asks{grants};
  for (std::size_t i = 0; i < swaps.size(); ++i)
    asks.push_back([&statements, i]() { return statements(i); });
  for (std::size_t i = 0; i < flows_back.size(); ++i)
    asks.push_back([&wakes, i]() { return wakes(i); });
  co_await env.main.db().Together(std::move(asks));
  co_return read;
}

// All that is asked and recorded under the locks.
Task<> Ask(run::Environment& env, const std::vector<Swap>& swaps, const Ready& ready,
           const std::vector<rebuild::Twin>& twins, std::function<Task<>()> record) {
  co_await CheckUnderLock(env, swaps);
  for (const Swap& swap : swaps)
    co_await capture::RehearseDrain(env.main, swap.flow, copy::PaceOf(env).settings);
  const Views views = co_await ReadViewsAnew(env, swaps, twins);
  const GrantsOf carried_by = CarriedBy(swaps, twins, views);
  Read read = co_await ReadAll(env, swaps, ready.coming, ready.flows_back, carried_by, views);
  co_await rebuild::WriteViewsAnew(env.main, views);
  std::vector<CarryOver> carried;
  for (Statements& texts : read.all) carried.push_back(std::move(texts.carry));
  co_await CheckAndRecord(env, swaps, carried, ready.flows_back);
  co_await record();
}

}  // namespace

Task<std::vector<Swap>> ReadSwaps(run::Environment& env, Way way) {
  std::vector<rebuild::Stored> all = co_await rebuild::LoadAll(env.main, env.run.id);
  std::string direction = way == Way::kBack ? "reverse" : "forward";
  std::vector<Flow> flows = co_await capture::LoadFlows(env.main, env.run.id, std::move(direction));
  std::vector<Swap> swaps;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Swap swap = co_await ReadSwap(env, std::move(all[i]), std::move(flows.at(i)), way);
    swaps.push_back(std::move(swap));
  }
  co_await ForgetParts(env.main, swaps);
  co_return swaps;
}

lock::LockRequest LockOf(const std::vector<Swap>& swaps) {
  std::vector<Pairing> pairings;
  for (const Swap& swap : swaps) pairings.push_back({swap.flow.from, swap.flow.to, swap.joined});
  lock::LockRequest request;
  for (const std::string& name : LockOrder(pairings)) {
    const auto parsed = sql::ParseQualifiedName(name);
    if (parsed) request.tables.push_back(*parsed);
  }
  return request;
}

Task<std::vector<lock::View>> ViewsOf(run::Environment& env, const std::vector<Swap>& swaps,
                                      std::vector<rebuild::Twin> twins) {
  const std::vector<lock::View> none;
  if (!async::SafeguardOn("views-first")) co_return none;
  const dependants::Matviews matviews = rebuild::MatviewsOf(rebuild::FromJson(env.run.spec));
  const Views anew = co_await rebuild::FindViewsAnew(env.main, ReplacedBy(swaps, twins));
  co_return co_await ViewsOver(env.main, Leaving(swaps), matviews, rebuild::OidsOf(anew));
}

std::string NamesOf(const std::vector<Swap>& swaps) {
  std::string names;
  for (const Swap& swap : swaps) names += (names.empty() ? "" : ", ") + swap.flow.from;
  return names;
}

Task<> CheckUnderLock(run::Environment& env, const std::vector<Swap>& swaps) {
  const std::vector<std::int64_t> leaving = Leaving(swaps);
  const dependants::Matviews matviews = rebuild::MatviewsOf(rebuild::FromJson(env.run.spec));
  Asks checks;
  checks.push_back([&]() { return guard::CheckLease(env.main, env.lease); });
  for (const Swap& swap : swaps) AddChecks(env, swap, leaving, matviews, checks);
  checks.push_back([&]() { return run::AwaitOldSnapshots(env.main); });
  co_await env.main.db().Together(std::move(checks));
}

// Who keeps us from the tables, an autovacuum at most, leaves them to be made under the locks.
Task<> PrepareTriggers(run::Environment& env, const std::vector<Swap>& swaps) {
  guard::TransactionOptions options;
  options.lock_timeout = kLongestWaitForTriggers;
  const std::vector<Flow> flows_back = co_await FlowsBack(env, swaps);
  for (std::size_t i = 0; i < swaps.size(); ++i) {
    auto prepare = [&]() -> Task<> {
      co_await guard::CheckLease(env.main, env.lease);
      co_await PrepareGuard(env, swaps[i]);
      if (!flows_back.empty()) co_await PrepareCapture(env, flows_back.at(i));
    };
    try {
      co_await guard::RunInTransaction(env.main, options, prepare);
    } catch (const pg::PgError& error) {
      if (error.klass() != pg::SqlstateClass::kLockNotAvailable) throw;
    }
  }
}

Task<> Rehearse(run::Environment& env, const std::vector<Swap>& swaps,
                std::vector<rebuild::Twin> twins, std::function<Task<>()> record) {
  const Ready ready = co_await ReadReady(env, swaps);
  auto ask = [&]() -> Task<> { co_await Ask(env, swaps, ready, twins, record); };
  co_await lock::AskAhead(env.main, ask);
}

Task<Ready> MakeReady(run::Environment& env, const std::vector<Swap>& swaps,
                      std::vector<rebuild::Twin> twins, std::function<Task<>()> record) {
  for (const Swap& swap : swaps)
    if (!swap.back) co_await MoveAhead(env.main, swap.flow.to, swap.flow.to_oid, swap.schema);
  const Ready ready = co_await ReadReady(env, swaps);
  auto ask = [&]() -> Task<> { co_await Ask(env, swaps, ready, twins, record); };
  co_await lock::AskAhead(env.main, ask);
  co_await RecordAhead(env, swaps, ready);
  co_return ready;
}

Task<> SwapTables(run::Environment& env, const std::vector<Swap>& swaps, Ready ready,
                  std::vector<rebuild::Twin> twins) {
  Session& session = env.main;
  for (const Swap& swap : swaps)
    if (IsDrained(swap)) co_await capture::Drain(session, swap.flow, copy::PaceOf(env).settings);
  async::FailPoint("drained");
  // Not carried over: the table that comes back has no key for what took their place.
  for (const Swap& swap : swaps) {
    if (!swap.back) continue;
    const Texts drops = co_await DropsNow(session, swap.going.drop);
    co_await Execute(session, drops);
  }
  const Views views = co_await ReadViewsAnew(env, swaps, twins);
  const GrantsOf carried_by = CarriedBy(swaps, twins, views);
  std::vector<Flow> flows_back = std::move(ready.flows_back);
  Read read = co_await ReadAll(env, swaps, ready.coming, flows_back, carried_by, views);
  std::vector<Statements>& all = read.all;
  // Statements name each table by the name that one of two has, whichever it is then: all lose what
  // hangs on them first, and get it when all have moved.
  Texts statements;
  TwinStatements matviews =
      co_await WriteTwins(session, std::move(twins), swaps.front().aside, rebuild::OidsOf(views));
  rebuild::ViewStatements anew = co_await rebuild::WriteViewsAnew(session, views);
  Append(all.front().carry.validate, std::move(matviews.validate));
  for (Statements& texts : all) Append(statements, std::move(texts.before));
  Append(statements, std::move(matviews.before));
  Append(statements, std::move(anew.touch));
  for (Statements& texts : all) Append(statements, std::move(texts.moves));
  Append(statements, std::move(matviews.moves));
  co_await ExecuteBesideGrants(session, statements, carried_by, std::move(read.granted));
  statements = std::move(anew.drop);
  // First, as policies and rules of the tables may read them.
  Append(statements, std::move(anew.make));
  for (Statements& texts : all) Append(statements, std::move(texts.after));
  Append(statements, std::move(matviews.after));
  bool all_wake = true;
  for (Texts& wake : read.wakes) {
    all_wake = all_wake && !wake.empty();
    Append(statements, std::move(wake));
  }
  co_await Execute(session, statements);
  async::FailPoint("swapped");

  std::vector<CarryOver> carried;
  for (Statements& texts : all) carried.push_back(std::move(texts.carry));
  if (!all_wake) {
    flows_back = co_await FlowsBack(env, swaps);  // by their new names
    for (const Flow& back : flows_back) co_await CaptureAnew(session, back);
  }
  co_await CheckAndRecord(env, swaps, carried, flows_back);
}

}  // namespace pgalter::cutover
