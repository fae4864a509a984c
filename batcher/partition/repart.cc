#include "batcher/partition/repart.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/dependants/key_triggers.h"
#include "batcher/partition/alike.h"
#include "batcher/partition/inbound.h"
#include "batcher/partition/index_place.h"
#include "batcher/partition/key_value.h"
#include "batcher/partition/later.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/partman.h"
#include "batcher/partition/parts_step.h"
#include "batcher/partition/proof.h"
#include "batcher/partition/regroup.h"
#include "batcher/partition/rejoin.h"
#include "batcher/partition/self_keys.h"
#include "batcher/partition/taken.h"
#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/make_run.h"
#include "engine/run/plan_spec.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;

namespace {

constexpr const char* kSize =
    "SELECT greatest(reltuples, 0)::float8, pg_total_relation_size(oid) FROM pg_class WHERE oid = "
    "$1";

// Keys of the whole, and then its other indexes from the table's name on; $1 the whole, $2 its
// name. Last the index's name.
constexpr const char* kKeys = R"sql(
SELECT pg_get_constraintdef(oid), quote_ident(conname) FROM pg_constraint WHERE conrelid = $1 AND contype IN ('p', 'u')
ORDER BY contype, conname
)sql";
constexpr const char* kIndexes = R"sql(
SELECT CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END,
       substr(pg_get_indexdef(x.indexrelid),
              length(format('CREATE %sINDEX %I ON ONLY %s',
                            CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname, $2::text))
                + 1), quote_ident(c.relname)
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
WHERE x.indrelid = $1 AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = x.indexrelid
                                      AND conrelid = $1)
ORDER BY c.relname
)sql";

[[noreturn]] void Refuse(const Member& source, const std::string& why) {
  throw Failure(ExitCode::kRefused,
                fmt::format("cannot part {} anew: {}. Nothing was changed", source.name, why));
}

// The rows that a partition has not, so that a default partition with such a CHECK need not be
// read; empty: no CHECK says it.
Task<std::string> OutsideOf(Session& session, const Whole& whole, const Member& member) {
  if (whole.column.empty() && whole.strategy != Strategy::kHash) {
    const pg::Result inside =
        co_await session.db().Query("SELECT pg_get_partition_constraintdef($1)", member.oid);
    co_return fmt::format("(NOT ({}))", inside.Get<std::string>(0, 0));
  }
  if (member.is_range) {
    if (!member.from && !member.to) co_return fmt::format("({} IS NULL)", whole.column);
    std::vector<std::string> ends;
    if (member.from)
      ends.push_back(fmt::format("{} {} {}", whole.key, whole.Op(Relation::kLess),
                                 sql::QuoteLiteral(*member.from)));
    if (member.to)
      ends.push_back(fmt::format("{} {} {}", whole.key, whole.Op(Relation::kAtLeast),
                                 sql::QuoteLiteral(*member.to)));
    co_return fmt::format("({})", fmt::join(ends, " OR "));
  }
  if (whole.strategy != Strategy::kList || member.values.empty()) co_return "";
  std::vector<std::string> literals;
  for (const Given& value : member.values) literals.push_back(LiteralOf(value));
  co_return NotAmongOf(whole, literals);
}

// Named as the source, a target would be in its way while both are there.
Target TargetOf(const Piece& piece, const Member& source, std::size_t number) {
  Target target;
  target.becomes = QuoteIdentifier(piece.name);
  target.name =
      piece.name == source.relname ? fmt::format("pgalter_part_{}", number) : target.becomes;
  target.bound = piece.bound.text;
  target.inside = piece.bound.inside;
  return target;
}

Task<> SettleTargets(Session& session, PreparedRepart& prepared, const Whole& whole,
                     const std::vector<Member>& members, const Member& source,
                     const std::vector<Piece>& pieces) {
  RepartSpec& spec = prepared.spec;
  for (const Piece& piece : pieces)
    spec.targets.push_back(TargetOf(piece, source, spec.targets.size() + 1));
  if (!source.is_default) {
    spec.rest = whole.rest;
    if (!spec.rest.empty()) spec.outside = co_await OutsideOf(session, whole, source);
    co_return;
  }
  std::string outside;
  for (const Member& member : members) {
    if (member.oid == source.oid) continue;
    const std::string one = co_await OutsideOf(session, whole, member);
    if (!one.empty()) outside += (outside.empty() ? "" : " AND ") + one;
  }
  for (const Piece& piece : pieces)
    outside += (outside.empty() ? "" : " AND ") + piece.bound.outside;
  Piece rest;
  rest.name = source.relname;
  rest.bound.text = "DEFAULT";
  rest.bound.inside = outside;
  spec.targets.push_back(TargetOf(rest, source, spec.targets.size() + 1));
}

// Those that rows are copied into are made elsewhere.
Task<> RefuseTakenNames(Session& session, const RepartSpec& spec, const Member& source,
                        Moving moving) {
  const Arrival arrival = moving == Moving::kByCopy ? Arrival::kMovedThere : Arrival::kMadeThere;
  for (const Target& target : spec.targets) {
    if (target.becomes == spec.source) continue;
    Place place;
    place.home = spec.home;
    place.name = target.becomes;
    const std::string taken = co_await FindTaken(session, std::move(place), arrival);
    if (!taken.empty()) Refuse(source, taken);
  }
}

// The new table of the rebuild: partitioned as the whole is, with the targets alone.
Task<std::string> DefinitionOf(Session& session, const Whole& whole, const RepartSpec& spec,
                               const Member& source) {
  std::string keys;
  int number = 0;
  IndexPlaces places = co_await PlacesOf(session, whole.table.oid, source.oid);
  const pg::Result constraints = co_await session.db().Query(kKeys, whole.table.oid);
  for (int i = 0; i < constraints.rows(); ++i)
    keys += fmt::format(
        ", CONSTRAINT pgalter_k{} {}", ++number,
        PlaceKey(constraints.Get<std::string>(i, 0), places[constraints.Get<std::string>(i, 1)]));
  const std::string by = co_await PartitionKeyOf(session, whole);
  std::string script = fmt::format(
      "CREATE TABLE {0} (LIKE {0} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
      "INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS{1}) PARTITION BY {2};\n",
      source.name, keys, by);
  const Storage storage = co_await StorageOf(session, source.name);
  for (const Target& target : spec.targets)
    script += fmt::format("CREATE {}TABLE {}.{} PARTITION OF {} {}{};\n", storage.persistence,
                          spec.home, target.name, source.name, target.bound, storage.rest);
  const pg::Result indexes =
      co_await session.db().Query(kIndexes, whole.table.oid, whole.table.name);
  for (int i = 0; i < indexes.rows(); ++i)
    script +=
        PlaceIndex(fmt::format("CREATE {}INDEX pgalter_i{} ON {}{}", indexes.Get<std::string>(i, 0),
                               ++number, source.name, indexes.Get<std::string>(i, 1)),
                   places[indexes.Get<std::string>(i, 2)]) +
        ";\n";
  co_return script;
}

Task<> Rehearse(Session& session, const PreparedRepart& prepared) {
  const guard::TransactionOptions defaults;
  co_await guard::Begin(session, defaults);
  std::exception_ptr failure;
  try {
    co_await MakeParts(session, state::NewRunId(), prepared.source, prepared.rebuild,
                       prepared.spec);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await guard::RollBack(session);
  if (failure) std::rethrow_exception(failure);
}

void RefuseMuch(const PreparedRepart& prepared) {
  if (prepared.bytes <= MostRegrouped()) return;
  constexpr std::int64_t kMb = 1024 * 1024;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("cannot part {0} anew: it has {1} MB, and no unique index over NOT NULL columns "
                  "tells its rows apart: without one no copy could follow what users change, and "
                  "more than {2} MB are not moved while they wait. Add a primary key to {3}. "
                  "Nothing was changed",
                  prepared.source.name, prepared.bytes / kMb, MostRegrouped() / kMb,
                  prepared.spec.parent));
}

// The default partition that stays is read before, so that it need not be in the swap.
plan::Plan OutsidePlan(const RepartSpec& spec) {
  const Proof outside{spec.rest, kOutside, spec.outside};
  plan::Plan plan;
  AddProof(outside, "outside", "outside-validate", plan);
  return plan;
}

std::vector<state::Step> StepsOf(const RepartSpec& spec) {
  std::vector<state::Step> steps = OutsideSteps(spec);
  for (const auto& [kind, phase] : std::initializer_list<std::pair<const char*, const char*>>{
           {"partition-parts", "expand"},
           {"capture", "expand"},
           {"copy", "migrate"},
           {"key", "migrate"},
           {"indexes", "migrate"},
           {"verify", "migrate"},
           {"partition-swap", "contract"},
           {kSettle, "contract"},
           {"partition-release", "contract"}}) {
    state::Step step;
    step.id = kind;
    step.kind = kind;
    step.phase = phase;
    steps.push_back(std::move(step));
  }
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i].ordinal = static_cast<int>(i) + 1;
  return steps;
}

}  // namespace

Task<> RefuseRepart(Session& session, const Whole& whole, const Member& source, Moving moving) {
  for (const pg::Oid table : {whole.table.oid, source.oid}) co_await RefuseStranger(session, table);
  const pg::Result right = co_await session.db().Query(
      "SELECT has_database_privilege(current_database(), 'CREATE'),"
      " quote_ident(current_database()), quote_ident(current_user),"
      " has_schema_privilege(relnamespace, 'CREATE'), quote_ident(relnamespace::regnamespace::text)"
      " FROM pg_class WHERE oid = $1",
      source.oid);
  const auto role = right.Get<std::string>(0, 2);
  if (!right.Get<bool>(0, 0))
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("cannot make a schema for the new partitions: GRANT CREATE ON "
                              "DATABASE {} TO {}",
                              right.Get<std::string>(0, 1), role));
  if (!right.Get<bool>(0, 3))
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("cannot make partitions in the table's schema: GRANT CREATE ON "
                              "SCHEMA {} TO {}",
                              right.Get<std::string>(0, 4), role));
  co_await RefuseBesidePartman(session, whole.table, PartmanKeeps::kWidths);
  const std::vector<pg::Oid> sources{source.oid};
  const auto held = co_await FindHold(session, whole.table.name, sources);
  if (held) Refuse(source, held->why);
  co_await RefuseStrangersKeys(session, whole.table);
  const std::vector<std::string> nothing_of_ours;
  const auto obstacle =
      co_await FindObstacle(session, whole.table.oid, sources, nothing_of_ours, moving);
  if (obstacle) Refuse(source, obstacle->why);
  const std::string off = co_await dependants::FindKeyTriggersOff(
      session, whole.table.oid, dependants::KeyTriggers::kInTheWay);
  if (!off.empty()) Refuse(source, off);
  Exchanged nothing;
  const cutover::Staying none_left;
  nothing.whole = whole.table.name;
  const SelfKeys own = co_await ReadSelfKeys(session, whole.table.oid, nothing, none_left);
  if (!own.stranger.empty())
    Refuse(source, own.stranger +
                       " is of that partition alone and refers to the whole: drop it "
                       "before, and add it to the whole after");
}

std::vector<state::Step> OutsideSteps(const RepartSpec& spec) {
  if (spec.outside.empty() || spec.rest.empty()) return {};
  return run::StepsOf(OutsidePlan(spec));
}

Task<PreparedRepart> PrepareRepart(Session& session, const Whole& whole,
                                   const std::vector<Member>& members, const Member& source,
                                   std::vector<Piece> pieces) {
  PreparedRepart prepared;
  const bool has_key = co_await TellsRowsApart(session, whole.table.oid);
  if (!has_key) prepared.moving = Moving::kUnderLock;
  co_await RefuseRepart(session, whole, source, prepared.moving);
  RepartSpec& spec = prepared.spec;
  spec.parent = whole.table.name;
  spec.parent_oid = whole.table.oid;
  spec.source = QuoteIdentifier(source.relname);
  spec.home = source.name.substr(0, source.name.size() - spec.source.size() - 1);
  co_await SettleTargets(session, prepared, whole, members, source, pieces);
  co_await RefuseTakenNames(session, spec, source, prepared.moving);
  const std::vector<Member> old{source};
  prepared.back = co_await KeepTheOld(session, old);
  prepared.source = co_await backfill::FindTableByOid(session, source.oid, "part");
  const pg::Result size = co_await session.db().Query(kSize, source.oid);
  prepared.rows = size.Get<double>(0, 0);
  prepared.bytes = size.Get<std::int64_t>(0, 1);
  prepared.referring = co_await ReferringTables(session, whole.table.oid);
  if (prepared.moving == Moving::kUnderLock) {
    RefuseMuch(prepared);
    co_return prepared;
  }
  co_await PrepareCopy(session, whole, source, prepared);
  co_return prepared;
}

Task<> PrepareCopy(Session& session, const Whole& whole, const Member& source,
                   PreparedRepart& prepared) {
  prepared.source = co_await backfill::FindTableByOid(session, source.oid, "part");
  prepared.rebuild.table = source.name;
  prepared.rebuild.settings = co_await guard::RoleSettings(session);
  prepared.rebuild.definition = co_await DefinitionOf(session, whole, prepared.spec, source);
  co_await Rehearse(session, prepared);
}

Task<std::string> CreateRepartRun(Session& session, const PreparedRepart& prepared,
                                  std::string command) {
  state::Run run;
  run.id = state::NewRunId();
  run.command = std::move(command);
  run.target = prepared.source.name;
  run.relid = prepared.source.oid;
  std::vector<pg::Oid> also{prepared.spec.parent_oid};
  also.insert(also.end(), prepared.also.begin(), prepared.also.end());
  std::vector<state::Step> steps;
  if (prepared.moving == Moving::kByCopy) {
    run.spec = rebuild::ToJson(prepared.rebuild);
    run.total_rows = static_cast<std::int64_t>(prepared.rows);
    steps = StepsOf(prepared.spec);
  } else {
    // The partition goes with the exchange, while the run goes on.
    std::swap(run.relid, also.front());
    run.spec[kMerged] = boost::json::array{prepared.source.name};
    run::Pace waits;
    waits.throttle = prepared.rebuild.throttle;
    run.spec[run::kPace] = run::ToJson(waits);
    run.spec["settings"] = guard::ToJson(co_await guard::RoleSettings(session));
    steps = RegroupSteps(prepared.spec);
  }
  run.spec[kRepart] = ToJson(prepared.spec);
  run.spec[kBack] = prepared.back;
  if (!prepared.after_it.empty()) run.spec[kAfterIt] = prepared.after_it;
  run::PlanSpec pace;
  pace.ladder = prepared.ladder;
  run.spec["ladder"] = run::ToJson(pace).at("ladder");
  run.phase = "starting";
  auto create = [&]() -> Task<> {
    co_await state::CreateRun(session, run, also);
    co_await state::CreateSteps(session, run.id, steps);
  };
  co_await guard::RunInTransaction(session, create);
  co_return run.id;
}

}  // namespace pgalter::partition
