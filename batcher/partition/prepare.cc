#include "batcher/partition/prepare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/backfill/kept_out.h"
#include "batcher/backfill/target.h"
#include "batcher/partition/inbound.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/primary_key.h"
#include "batcher/partition/proof.h"
#include "batcher/partition/taken.h"
#include "batcher/partition/whole.h"
#include "batcher/partition/wide_index.h"
#include "engine/guard/transaction.h"
#include "engine/run/make_run.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;

namespace {

std::string CannotBeAttached(const std::string& table, const std::string& why) {
  return fmt::format("cannot attach {} to a partitioned table: {}. Nothing was changed", table,
                     why);
}

[[noreturn]] void Refuse(const std::string& table, const std::string& why) {
  throw Failure(ExitCode::kRefused, CannotBeAttached(table, why));
}

constexpr const char* kIdentities = R"sql(
SELECT quote_ident(a.attname), CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
       quote_ident(c.relname),
       format('INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', s.seqincrement,
              s.seqmin, s.seqmax, s.seqstart, s.seqcache,
              CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
FROM pg_attribute a
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
  AND d.refobjsubid = a.attnum AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_class c ON c.oid = d.objid
WHERE a.attrelid = $1 AND a.attidentity <> '' AND NOT a.attisdropped
)sql";

// Until the old table is attached, a CHECK keeps rows out that are beyond its bound; so it lies
// well beyond the time that the run will take.
Task<std::string> MarginOf(Session& session, const Prepared& prepared, std::string newest) {
  const Spec& spec = prepared.spec;
  if (!IsCounted(spec.column.type)) {
    constexpr double kBytesPerS = 20e6;
    constexpr double kDay = 24 * 60 * 60;
    const double run_s = 4 * static_cast<double>(prepared.bytes) / kBytesPerS;
    co_return fmt::format("{:.0f} seconds", kDay + run_s);
  }
  const std::string oldest = co_await OldestKey(session, spec.table, spec.column);
  const pg::Result row = co_await session.db().Query(
      "SELECT greatest($1::numeric, ceil((nullif($2, '')::numeric - nullif($3, '')::numeric) / 10),"
      " 1)::text",
      spec.period.count, newest, oldest);
  co_return row.Get<std::string>(0, 0);
}

Task<> RefuseBeyondType(Session& session, const Spec& spec, const std::string& last) {
  bool fits = true;
  try {
    co_await session.db().Query(fmt::format("SELECT {} = {} FROM {} LIMIT 0",
                                            QuoteIdentifier(spec.column.name), last, spec.table));
    if (IsNumber(spec.column.type)) {
      const pg::Result type = co_await session.db().Query(
          "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
          " WHERE attrelid = $1::regclass AND attname = $2",
          spec.table, spec.column.name);
      co_await session.db().Query(fmt::format("SELECT {}::{}", last, type.Get<std::string>(0, 0)));
    }
  } catch (const pg::PgError&) {
    if (!session.db().open()) throw;
    fits = false;
  }
  if (!fits)
    throw Failure(ExitCode::kUsage,
                  fmt::format("the last bound would be {}, which column {} cannot hold: choose a "
                              "smaller --every or --premake",
                              last, QuoteIdentifier(spec.column.name)));
}

Task<> SettleRanges(Session& session, Prepared& prepared, const std::string& relname) {
  Spec& spec = prepared.spec;
  Edge edge;
  edge.newest = co_await NewestKey(session, spec.table, spec.column);
  edge.margin = co_await MarginOf(session, prepared, edge.newest);
  const auto ranges = co_await RangesFrom(session, spec.column, spec.period, spec.time_zone, edge,
                                          std::max(spec.premake, 1));
  co_await RefuseBeyondType(session, spec, ranges.back().to);
  spec.upto = ranges.front().from;
  spec.first = PartName(relname, "_until_" + ranges.front().name);
  for (int i = 0; i < spec.premake && i < static_cast<int>(ranges.size()); ++i) {
    Range range = ranges[static_cast<std::size_t>(i)];
    range.name = PartName(relname, "_p" + range.name);
    spec.next.push_back(std::move(range));
  }
  if (spec.with_default) spec.rest = PartName(relname, "_default");
}

Task<> SettleKeys(Session& session, Prepared& prepared, backfill::Table table,
                  std::vector<std::string> primary_key) {
  Spec& spec = prepared.spec;
  const std::vector<std::string> columns = PartColumns(spec);
  spec.keys = co_await FindWidenedKeys(session, prepared.oid, columns);
  const bool more =
      co_await NameColumns(session, std::move(table), std::move(primary_key), columns, spec.keys);
  if (more && spec.inbound_fk == InboundFk::kWiden) RefuseMoreColumns();
  int number = 0;
  for (WidenedKey& key : spec.keys) {
    key.build = WideIndexName(++number, spec.schema.substr(8));
    const bool primary = key.constraint == "PRIMARY KEY";
    if (!primary && !spec.allow_weaker_keys)
      Refuse(
          spec.table,
          fmt::format("unique key {} ({}) lacks {}, and a partitioned table can only keep rows "
                      "unique by keys that hold it. --allow-weaker-keys makes it ({}), which two "
                      "rows with the same {} can meet; or drop it before",
                      key.index, key.columns, key.lacks, key.wide, key.columns));
    prepared.remarks.push_back(fmt::format(
        "weaker: {} ({}) becomes ({}): rows of equal {} are possible in different partitions",
        key.index, key.columns, key.wide, key.columns));
  }
}

Task<> SettleInboundKeys(Session& session, Prepared& prepared) {
  Spec& spec = prepared.spec;
  InboundWish wish;
  wish.table = spec.table;
  wish.oid = prepared.oid;
  wish.columns = PartColumns(spec);
  wish.means = spec.inbound_fk;
  Inbound inbound = co_await SettleInbound(session, std::move(wish));
  for (rebuild::GoingKey& key : inbound.keys) {
    spec.inbound.push_back(std::move(key.add));
    spec.inbound_tables.push_back(std::move(key.table));
    spec.inbound_relids.push_back(key.relid);
    spec.inbound_comments.push_back(std::move(key.comment));
  }
  spec.inbound_make = std::move(inbound.make);
  spec.inbound_drop = std::move(inbound.drop);
  spec.inbound_checks = std::move(inbound.checks);
  prepared.before = std::move(inbound.before);
  prepared.also = std::move(inbound.also);
  for (std::string& remark : inbound.remarks) prepared.remarks.push_back(std::move(remark));
}

Task<> SettleIdentities(Session& session, Prepared& prepared) {
  const pg::Result rows = co_await session.db().Query(kIdentities, prepared.oid);
  for (int i = 0; i < rows.rows(); ++i)
    prepared.spec.identities.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1),
                                        rows.Get<std::string>(i, 2), rows.Get<std::string>(i, 3)});
}

Task<> RefuseTakenName(Session& session, const Spec& spec, Place place, Arrival arrival) {
  place.home = spec.home;
  const std::string taken = co_await FindTaken(session, std::move(place), arrival);
  if (!taken.empty()) Refuse(spec.table, taken);
}

// The table is renamed, and what takes its place has its name, and is made elsewhere, as the other
// partitions are.
Task<> RefuseTakenNames(Session& session, const Spec& spec, pg::Oid table) {
  Place first;
  first.name = spec.first;
  co_await RefuseTakenName(session, spec, std::move(first), Arrival::kMadeThere);
  Place parent;
  parent.name = spec.relname;
  parent.leaving = table;
  co_await RefuseTakenName(session, spec, std::move(parent), Arrival::kMovedThere);
  std::vector<std::string> names;
  for (const Range& range : spec.next) {
    names.push_back(range.name);
    if (const auto parsed = sql::ParseQualifiedName(range.name))
      for (std::string& name : NamesOf(spec.then, parsed->name)) names.push_back(std::move(name));
  }
  if (!spec.rest.empty()) names.push_back(spec.rest);
  for (std::string& name : names) {
    Place place;
    place.name = std::move(name);
    co_await RefuseTakenName(session, spec, std::move(place), Arrival::kMovedThere);
  }
}

Task<> RefuseMissingRights(Session& session, const backfill::Table& table) {
  const pg::Result right = co_await session.db().Query(
      "SELECT has_database_privilege(current_database(), 'CREATE'), "
      "quote_ident(current_database()),"
      " quote_ident(current_user), has_schema_privilege(relnamespace, 'CREATE'),"
      " quote_ident(relnamespace::regnamespace::text) FROM pg_class WHERE oid = $1",
      table.oid);
  if (!right.Get<bool>(0, 0))
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("cannot make a schema for the new table: GRANT CREATE ON DATABASE {} "
                              "TO {}",
                              right.Get<std::string>(0, 1), right.Get<std::string>(0, 2)));
  if (!right.Get<bool>(0, 3))
    throw Failure(
        ExitCode::kUnsupported,
        fmt::format("cannot make partitions in the table's schema: GRANT CREATE ON SCHEMA "
                    "{} TO {}",
                    right.Get<std::string>(0, 4), right.Get<std::string>(0, 2)));
}

// The steps that a plan could have as well.
plan::Plan PlanOf(const Prepared& prepared) {
  const Spec& spec = prepared.spec;
  plan::Plan plan;
  for (const WidenedKey& key : spec.keys)
    plan.steps.push_back(BuildWideIndex(key, spec.table, spec.home));
  plan.steps.insert(plan.steps.end(), prepared.before.begin(), prepared.before.end());
  const std::string column = QuoteIdentifier(spec.column.name);
  const Proof inside{spec.table, kBound,
                     fmt::format("{0} IS NOT NULL AND {0} < {1}", column, spec.upto)};
  AddProof(inside, "bound", "validate", plan);
  return plan;
}

std::vector<state::Step> StepsOf(const Prepared& prepared) {
  std::vector<state::Step> steps;
  const auto add = [&steps](const char* kind, const char* phase) {
    state::Step step;
    step.id = kind;
    step.kind = kind;
    step.phase = phase;
    steps.push_back(std::move(step));
  };
  add("partition-parent", "expand");
  for (state::Step& step : run::StepsOf(PlanOf(prepared))) steps.push_back(std::move(step));
  add("partition-attach", "contract");
  add("partition-settle", "contract");
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i].ordinal = static_cast<int>(i) + 1;
  return steps;
}

}  // namespace

CannotAttach::CannotAttach(const std::string& table, Hindrance hindrance)
    : Failure(ExitCode::kRefused, CannotBeAttached(table, hindrance.why)),
      table_(table),
      hindrance_(std::move(hindrance)) {}

Task<Prepared> Prepare(Session& session, Wish wish) {
  Prepared prepared;
  Spec& spec = prepared.spec;
  spec.settings = co_await guard::RoleSettings(session);
  const backfill::Table table = co_await FindOwned(session, wish.table, "partition");
  co_await RefuseMissingRights(session, table);
  co_await backfill::RefuseUnreadable(session, table, "look at what a conversion needs of");
  co_await RefuseUnknownZone(session, wish.division.time_zone);
  spec.table = table.name;
  spec.relname = QuoteIdentifier(table.relname);
  spec.home = table.name.substr(0, table.name.size() - spec.relname.size() - 1);
  spec.time_zone = wish.division.time_zone;
  spec.premake = wish.division.premake;
  spec.with_default = wish.division.with_default;
  spec.allow_weaker_keys = wish.division.allow_weaker_keys;
  spec.inbound_fk = wish.inbound_fk;
  prepared.oid = table.oid;
  spec.column = co_await FindColumn(session, table, wish.division.column, wish.division.epoch);
  spec.period = PeriodOf(wish.division.every, spec.column);
  spec.then = wish.division.then;
  spec.then_column = wish.division.then_column;
  if (!spec.then_column.empty()) {
    co_await RequireColumn(session, table, spec.then_column);
    co_await RequireNotNull(session, table, spec.then_column);
  }
  co_await RefuseStrangersKeys(session, table);
  const Hindrance hindrance = co_await FindHindrance(session, table.oid, spec.column.name);
  if (!hindrance.why.empty()) throw CannotAttach(spec.table, hindrance);
  const pg::Result size = co_await session.db().Query(
      "SELECT greatest(reltuples, 0)::float8, pg_total_relation_size(oid) FROM pg_class"
      " WHERE oid = $1",
      table.oid);
  prepared.rows = size.Get<double>(0, 0);
  prepared.bytes = size.Get<std::int64_t>(0, 1);
  spec.schema = "pgalter_" + state::NewRunId().substr(0, 8);
  co_await SettleKeys(session, prepared, table, wish.division.primary_key);
  co_await SettleInboundKeys(session, prepared);
  co_await SettleIdentities(session, prepared);
  co_await SettleRanges(session, prepared, table.relname);
  co_await RefuseTakenNames(session, spec, table.oid);
  co_return prepared;
}

Task<std::string> CreateRun(Session& session, const Prepared& prepared) {
  state::Run run;
  run.id = state::NewRunId();
  run.command = "partition convert";
  run.target = prepared.spec.table;
  run.relid = prepared.oid;
  run.spec = ToJson(prepared.spec);
  run.spec[run::kPace] = run::ToJson(prepared.pace);
  run.phase = "starting";
  const std::vector<state::Step> steps = StepsOf(prepared);
  auto create = [&]() -> Task<> {
    co_await state::CreateRun(session, run, prepared.also);
    co_await state::CreateSteps(session, run.id, steps);
  };
  co_await guard::RunInTransaction(session, create);
  co_return run.id;
}

}  // namespace pgalter::partition
