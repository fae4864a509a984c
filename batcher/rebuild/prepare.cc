#include "batcher/rebuild/prepare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "batcher/backfill/kept_out.h"
#include "batcher/backfill/rights.h"
#include "batcher/backfill/role_settings.h"
#include "batcher/dependants/obstacles.h"
#include "batcher/rebuild/definition_file.h"
#include "batcher/rebuild/joined_keys.h"
#include "batcher/rebuild/obstacles.h"
#include "batcher/rebuild/readers.h"
#include "batcher/rebuild/room.h"
#include "batcher/rebuild/shadow.h"
#include "batcher/rebuild/tree.h"
#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/make_run.h"
#include "engine/run/plan_spec.h"
#include "engine/run/rebuild_parts.h"
#include "engine/state/asked.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/identifier.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void Refuse(const backfill::Table& table, const std::string& why) {
  throw Failure(ExitCode::kRefused, fmt::format("cannot rebuild {}: {}", table.name, why));
}

// What stands in the way, each with the way out; one row for each thing. A NOT NULL that is not
// valid, as there may be from PostgreSQL 18 on, lets NULLs be.
constexpr const char* kObstacles = R"sql(
SELECT 'it inherits, or is inherited from: NO INHERIT first' FROM pg_class c
WHERE c.oid = $1 AND EXISTS (SELECT FROM pg_inherits
                             WHERE inhrelid = $1 OR inhparent = $1 AND c.relkind <> 'p')
UNION ALL
SELECT 'it is a typed table: ALTER TABLE ... NOT OF first' FROM pg_class
WHERE oid = $1 AND reloftype <> 0
UNION ALL
SELECT format('extension %1$I has it, and would lose it to the new one: ALTER EXTENSION %1$I DROP TABLE '
              'first, and ADD TABLE afterwards', e.extname)
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.classid = 'pg_class'::regclass AND d.objid = $1 AND d.deptype = 'e'
  AND d.refclassid = 'pg_extension'::regclass
UNION ALL
SELECT format('index %s is not valid: drop it, or make it again', indexrelid::regclass)
FROM pg_index WHERE indrelid = $1 AND NOT indisvalid
UNION ALL
SELECT 'no unique index over NOT NULL columns tells its rows apart: add a primary key, or a unique '
       'index over columns that are NOT NULL'
WHERE NOT EXISTS (
  SELECT FROM pg_index x WHERE x.indrelid = $1 AND x.indisunique AND x.indimmediate
    AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
    AND NOT EXISTS (SELECT FROM unnest(x.indkey[0:x.indnkeyatts - 1]) k
                    JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k
                    WHERE NOT a.attnotnull OR EXISTS (SELECT FROM pg_constraint n
                       WHERE n.conrelid = a.attrelid AND n.contype = 'n'
                         AND n.conkey = ARRAY[a.attnum] AND NOT n.convalidated)))
UNION ALL
SELECT format('constraint %I of %s is over a period, WITHOUT OVERLAPS or PERIOD, which a new table is '
              'not given: drop it before, and add it again after', k.conname, k.conrelid::regclass)
FROM pg_constraint k
WHERE (k.conrelid = $1 OR k.confrelid = $1) AND (to_jsonb(k)->>'conperiod')::bool
)sql";

// Which the table that takes the place has from the one that leaves, whatever is done to it before.
using sql::ast::TableChange;
constexpr std::array kNotOfTheDefinition{TableChange::kInherit,
                                         TableChange::kNoInherit,
                                         TableChange::kOfType,
                                         TableChange::kNotOf,
                                         TableChange::kOwner,
                                         TableChange::kAlterConstraint,
                                         TableChange::kAttachPartition,
                                         TableChange::kDetachPartition,
                                         TableChange::kDetachPartitionConcurrently,
                                         TableChange::kDetachPartitionFinalize,
                                         TableChange::kEnableTrigger,
                                         TableChange::kDisableTrigger,
                                         TableChange::kEnableRule,
                                         TableChange::kDisableRule,
                                         TableChange::kEnableRowSecurity,
                                         TableChange::kDisableRowSecurity,
                                         TableChange::kForceRowSecurity,
                                         TableChange::kNoForceRowSecurity,
                                         TableChange::kReplicaIdentity};

// Of a partitioned table they say where partitions to come are made, and move none.
constexpr std::array kOfPartitionsToCome{TableChange::kSetTablespace, TableChange::kSetAccessMethod,
                                         TableChange::kSetLogged, TableChange::kSetUnlogged};

// Actions that need more than a new table of another definition.
void ReadAlter(const backfill::Table& table, const std::string& alter) {
  if (alter.empty()) return;
  const auto statement =
      sql::ast::ReadStatement(fmt::format("ALTER TABLE {} {}", table.name, alter));
  if (!statement)
    throw Failure(ExitCode::kUsage,
                  fmt::format("--alter \"{}\": {}. Write it as behind ALTER TABLE "
                              "and a name: 'ADD COLUMN c int, DROP COLUMN d'",
                              alter, statement.error().message));
  const auto* change = statement->As<sql::ast::AlterTable>();
  if (change == nullptr || change->commands.empty())
    throw Failure(
        ExitCode::kUsage,
        fmt::format("--alter \"{}\" is not what stands behind ALTER TABLE and a name: give "
                    "actions such as 'ALTER COLUMN c TYPE bigint'; a renaming, an owner or "
                    "a schema needs no rebuild",
                    alter));
  for (const auto& command : change->commands) {
    if (std::ranges::find(kNotOfTheDefinition, command.change) != kNotOfTheDefinition.end())
      throw Failure(ExitCode::kRefused,
                    fmt::format("--alter \"{}\" has an action that needs no rebuild: do it with "
                                "ALTER TABLE",
                                alter));
    if (table.partitioned &&
        std::ranges::find(kOfPartitionsToCome, command.change) != kOfPartitionsToCome.end())
      throw Failure(ExitCode::kRefused,
                    fmt::format("--alter \"{}\": {} is partitioned, and that would be said of "
                                "partitions to come alone, which ALTER TABLE does at once. Give "
                                "the whole new definition, with the place of each partition: "
                                "--definition FILE",
                                alter, table.name));
    const bool foreign_key = command.constraint.has_value() &&
                             command.constraint->kind == sql::ast::ConstraintKind::kForeignKey;
    const bool on_column = command.column.has_value() &&
                           command.column->Find(sql::ast::ConstraintKind::kForeignKey) != nullptr;
    if (foreign_key || on_column)
      throw Failure(ExitCode::kRefused,
                    fmt::format("--alter \"{}\" adds a foreign key, which needs no rebuild: add it "
                                "afterwards, NOT VALID, and validate it",
                                alter));
  }
}

Task<> MakeAll(Session& session, Prepared& prepared) {
  const std::string run = state::NewRunId();
  std::vector<backfill::Table> tables{prepared.table};
  tables.insert(tables.end(), prepared.companions.begin(), prepared.companions.end());
  std::vector<Stored> made;
  for (int number = 1; number <= CountTables(prepared.spec); ++number) {
    const backfill::Table& table = tables.at(static_cast<std::size_t>(number) - 1);
    const Spec spec = OfTable(prepared.spec, number);
    const Shadow shadow = co_await MakeShadow(session, run, table, spec, number);
    made.push_back(shadow.stored);
    for (const std::string& remark : shadow.remarks)
      prepared.remarks.push_back(tables.size() > 1 ? fmt::format("{}: {}", table.name, remark)
                                                   : remark);
  }
  co_await RefuseSharedNames(session, made);
  co_await RefuseUnfitKeys(session, made);
  co_await RefuseTooManyLocks(session, made, prepared.tables());
  for (std::string& remark :
       co_await TryReaders(session, made, prepared.tables(), MatviewsOf(prepared.spec)))
    prepared.remarks.push_back(std::move(remark));
}

Task<> Rehearse(Session& session, Prepared& prepared) {
  const guard::TransactionOptions defaults;
  co_await guard::Begin(session, defaults);
  std::exception_ptr failure;
  try {
    co_await MakeAll(session, prepared);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await guard::RollBack(session);
  if (failure) std::rethrow_exception(failure);
}

Task<backfill::Table> FindOne(Session& session, const Spec& spec) {
  backfill::Spec look;
  look.table = spec.table;
  look.settings = spec.settings;
  const pg::Oid oid = co_await backfill::FindOid(session, look);
  // First: an owner needs no rights besides.
  const std::string missing = co_await backfill::MissingOwnership(session, oid);
  if (!missing.empty()) throw Failure(ExitCode::kUnsupported, missing);
  const std::string hidden = co_await backfill::HiddenRows(session, oid);
  if (!hidden.empty())
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("cannot rebuild {}: {}. Nothing was changed", spec.table, hidden));
  co_return co_await backfill::FindTableByOid(session, oid, "rebuild");
}

Task<> RefuseBound(Session& session, const backfill::Table& table, const Spec& spec) {
  using dependants::Matviews;
  const std::string others =
      co_await dependants::FindObstacle(session, table.oid, Matviews::kFollow);
  if (!others.empty()) Refuse(table, others);
  const std::string matview =
      co_await dependants::FindObstacle(session, table.oid, MatviewsOf(spec));
  if (!matview.empty())
    Refuse(table, matview + ". Or have it made anew with the table: --rebuild-matviews");
}

Task<> CheckOne(Session& session, const backfill::Table& table, const Spec& spec) {
  ReadAlter(table, spec.alter);
  if (!spec.definition.empty()) ReadDefinitionFile(spec.definition, table.name, "pg_temp");
  const pg::Result obstacles = co_await session.db().Query(kObstacles, table.oid);
  if (!obstacles.empty()) Refuse(table, obstacles.Get<std::string>(0, 0));
  co_await RefuseBound(session, table, spec);
  if (table.partitioned) co_await RefuseWhatPartitionsHave(session, table.name, table.oid);
  if (table.partitioned && spec.definition.empty())
    co_await RefuseUnlikePartitions(session, table.name, table.oid);
}

// Where the table's schema stands in the role's search_path.
Task<std::optional<int>> PlaceInPath(Session& session, const Spec& spec, pg::Oid table) {
  backfill::Spec look;
  look.settings = spec.settings;
  auto ask = [&]() -> Task<std::optional<int>> {
    const pg::Result row = co_await session.db().Query(
        "SELECT array_position(current_schemas(false), n.nspname) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
        table);
    co_return row.Get<std::optional<int>>(0, 0);
  };
  co_return co_await backfill::UnderRoleSettings(session, look, ask);
}

// One file has the definitions of several tables: to each its own.
Task<> DivideDefinitions(Session& session, const std::vector<backfill::Table>& tables, Spec& spec) {
  if (spec.definitions.empty()) co_return;
  std::vector<DefinedTable> defined;
  for (const backfill::Table& table : tables) {
    const std::optional<int> place = co_await PlaceInPath(session, spec, table.oid);
    defined.push_back({table.name, place});
  }
  std::vector<std::string> divided = DivideDefinitionFile(spec.definitions, defined);
  spec.definitions.clear();
  spec.definition = std::move(divided.front());
  for (std::size_t i = 0; i < spec.companions.size(); ++i)
    spec.companions[i].definition = std::move(divided.at(i + 1));
}

// --tablespace and --access-method are actions of --alter by then.
void RefuseTwoWays(const backfill::Table& table, const Spec& spec) {
  if (spec.alter.empty() || spec.definition.empty()) return;
  throw Failure(ExitCode::kUsage,
                fmt::format("--alter and --definition are two ways to say the same, and both are "
                            "given for {}: write what is to change into the definition",
                            table.name));
}

Task<> RefuseTooManyToBe(Session& session, const Prepared& prepared) {
  std::vector<backfill::Table> tables{prepared.table};
  tables.insert(tables.end(), prepared.companions.begin(), prepared.companions.end());
  std::vector<ToBe> all;
  for (int number = 1; number <= CountTables(prepared.spec); ++number) {
    const Spec spec = OfTable(prepared.spec, number);
    const backfill::Table& table = tables.at(static_cast<std::size_t>(number) - 1);
    if (spec.definition.empty()) continue;
    const DefinitionSize size = SizeOf(spec.definition, table.name);
    all.push_back({table.oid, size.tables + size.indexes});
  }
  co_await RefuseTooManyLocks(session, all, prepared.tables());
}

Task<> AddSize(Session& session, pg::Oid table, Prepared& prepared) {
  const pg::Result size = co_await session.db().Query(
      "SELECT coalesce(sum(greatest(reltuples, 0)), 0)::float8,"
      " coalesce(sum(pg_total_relation_size(oid)), 0)::int8"
      " FROM pg_class WHERE oid = $1 AND relkind <> 'p'"
      " OR oid IN (SELECT relid FROM pg_partition_tree($1) WHERE isleaf)",
      table);
  prepared.rows += size.Get<double>(0, 0);
  prepared.bytes += size.Get<std::int64_t>(0, 1);
}

// By whatever name it was given.
void RefuseTwice(const std::vector<backfill::Table>& before, const backfill::Table& table) {
  for (const backfill::Table& other : before)
    if (other.oid == table.oid)
      throw Failure(ExitCode::kUsage,
                    fmt::format("{} is named twice: name each table once, with all that is to "
                                "change in one --alter",
                                table.name));
}

Task<> RefuseWithoutCreate(Session& session) {
  const pg::Result right = co_await session.db().Query(
      "SELECT has_database_privilege(current_database(), 'CREATE'), "
      "quote_ident(current_database()),"
      " quote_ident(current_user)");
  if (!right.Get<bool>(0, 0))
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("cannot make a schema for the new table: GRANT CREATE ON DATABASE {} "
                              "TO {}",
                              right.Get<std::string>(0, 1), right.Get<std::string>(0, 2)));
}

// Of the steps before; the parts of a rebuild have theirs from the spec.
run::Pace PaceOf(const Spec& spec) {
  run::Pace pace;
  pace.throttle = spec.throttle;
  return pace;
}

std::vector<state::Step> StepsBefore(const Prepared& prepared) {
  plan::Plan plan;
  plan.steps = prepared.before;
  return run::StepsOf(plan);
}

}  // namespace

std::string Prepared::tables() const {
  std::string names = table.name;
  for (const backfill::Table& companion : companions) names += ", " + companion.name;
  return names;
}

std::vector<Asked> Prepared::asked() const {
  std::vector<backfill::Table> tables{table};
  tables.insert(tables.end(), companions.begin(), companions.end());
  std::vector<Asked> all;
  for (int number = 1; number <= CountTables(spec); ++number) {
    const Spec one = OfTable(spec, number);
    const std::string& name = tables.at(static_cast<std::size_t>(number) - 1).name;
    std::vector<std::string> wishes;
    if (!one.definition.empty()) wishes.push_back(DescribeDefinition(one.definition, name));
    if (!one.alter.empty()) wishes.push_back(one.alter);
    for (const std::string& map : one.maps) wishes.push_back(map);
    if (!one.order_by.empty()) wishes.push_back("in the order of " + one.order_by);
    all.push_back({name, wishes.empty() ? "the same definition"
                                        : fmt::format("{}", fmt::join(wishes, "; "))});
  }
  return all;
}

Task<Prepared> Prepare(Session& session, Spec spec, Checking how) {
  Prepared prepared;
  if (spec.settings.empty()) spec.settings = co_await guard::RoleSettings(session);
  std::vector<backfill::Table> tables;
  for (int number = 1; number <= CountTables(spec); ++number) {
    const Spec one = OfTable(spec, number);
    const backfill::Table table = co_await FindOne(session, one);
    RefuseTwice(tables, table);
    if (number > 1) spec.companions.at(tables.size() - 1).relid = table.oid;
    tables.push_back(table);
  }
  co_await DivideDefinitions(session, tables, spec);
  co_await RefuseWithoutCreate(session);
  for (int number = 1; number <= CountTables(spec); ++number) {
    const backfill::Table& table = tables.at(static_cast<std::size_t>(number) - 1);
    const Spec one = OfTable(spec, number);
    RefuseTwoWays(table, one);
    if (how == Checking::kRehearse)
      co_await backfill::RefuseUnreadable(session, table, "look at what a rebuild needs of");
    co_await CheckOne(session, table, one);
    co_await AddSize(session, table.oid, prepared);
  }
  prepared.table = tables.front();
  prepared.companions.assign(tables.begin() + 1, tables.end());
  prepared.spec = std::move(spec);
  // A run that is on its way may have been given another limit since.
  if (how == Checking::kRehearse)
    RefuseTooSmallBudget(prepared.spec, prepared.tables(), prepared.bytes);
  co_await RefuseTooManyToBe(session, prepared);
  if (how == Checking::kRehearse) co_await Rehearse(session, prepared);
  co_return prepared;
}

Task<std::string> CreateRun(Session& session, const Prepared& prepared) {
  state::Run run;
  run.id = state::NewRunId();
  run.command = "rebuild";
  run.target = prepared.tables();
  run.relid = prepared.table.oid;
  run.spec = ToJson(prepared.spec);
  if (prepared.hold_budget) {
    run::PlanSpec plan;
    plan.ladder.hold_budget = *prepared.hold_budget;
    run.spec["ladder"] = run::ToJson(plan).at("ladder");
  }
  if (!prepared.command.empty()) run.spec[state::kAsked] = prepared.command;
  run.phase = "starting";
  run.total_rows = static_cast<std::int64_t>(prepared.rows);
  if (!prepared.before.empty()) run.spec[run::kPace] = run::ToJson(PaceOf(prepared.spec));
  std::vector<state::Step> steps = StepsBefore(prepared);
  for (const run::RebuildPart& part : run::kRebuildParts) {
    state::Step step;
    step.ordinal = static_cast<int>(steps.size()) + 1;
    step.id = part.kind;
    step.kind = part.kind;
    step.phase = part.phase;
    steps.push_back(std::move(step));
  }
  std::vector<pg::Oid> also = prepared.also;
  for (const backfill::Table& companion : prepared.companions) also.push_back(companion.oid);
  auto create = [&]() -> Task<> {
    co_await state::CreateRun(session, run, also);
    co_await state::CreateSteps(session, run.id, steps);
  };
  co_await guard::RunInTransaction(session, create);
  co_return run.id;
}

}  // namespace pgalter::rebuild
