#include "batcher/partition/parent_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/backfill/sync_trigger.h"
#include "batcher/cutover/carry_over.h"
#include "batcher/partition/alike.h"
#include "batcher/partition/index_place.h"
#include "batcher/partition/shape.h"
#include "batcher/partition/spec.h"
#include "batcher/rebuild/definition.h"
#include "engine/async/fail_point.h"
#include "engine/guard/owner_only.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"
#include "engine/state/artefacts.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using Texts = std::vector<std::string>;

namespace {

constexpr std::chrono::minutes kPatient{10};

// $1 the table, $2 the new one's name: what LIKE does not copy, and a partitioned table can have.
// pg_attver is the server's own mark (15.20).
constexpr const char* kSettings = R"sql(
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $2::text, attname,
              to_jsonb(a)->>'attstattarget')
FROM pg_attribute a WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  AND coalesce((to_jsonb(a)->>'attstattarget')::int, -1) >= 0
UNION ALL
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', $2::text, attname,
              string_agg(o, ', '))
FROM pg_attribute CROSS JOIN unnest(attoptions) o
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND o NOT LIKE 'pg_attver=%'
GROUP BY attname
UNION ALL
SELECT format('ALTER TABLE %s OWNER TO %I', $2::text, pg_get_userbyid(relowner))
FROM pg_class WHERE oid = $1 AND relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
)sql";

constexpr const char* kForeignKeys = R"sql(
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', $2::text, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = $1 AND contype = 'f' AND conparentid = 0 AND confrelid <> $1
ORDER BY conname
)sql";

// What a partition has of its own: UNLOGGED, access method, storage parameters.
constexpr const char* kStorage = R"sql(
SELECT CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
  coalesce(' USING ' || quote_ident(am.amname), '')
    || coalesce(' WITH (' || (SELECT string_agg(o, ', ') FROM (
         SELECT unnest(c.reloptions) UNION ALL SELECT 'toast.' || unnest(t.reloptions)) x (o))
         || ')', '')
    || coalesce(' TABLESPACE ' || quote_ident(ts.spcname), ''),
  coalesce(' TABLESPACE ' || quote_ident(ts.spcname), ''),
  quote_ident(pg_get_userbyid(c.relowner)), c.relreplident = 'f',
  c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE c.oid = $1
)sql";

class Parent {
 public:
  Parent(Session& session, const Spec& spec, pg::Oid table)
      : session_(session),
        spec_(spec),
        table_(table),
        name_(spec.schema + "." + spec.relname),
        storage_() {}

  Task<> Make() {
    storage_ = co_await session_.db().Query(kStorage, table_);
    co_await Do(fmt::format("CREATE SCHEMA {}", spec_.schema));
    co_await Do(guard::TakeBackSchema(spec_.schema));
    // What the role has for new tables is not for those that take over from one that is there.
    co_await Do("SET LOCAL default_tablespace = ''");
    // Its owner may be a role that this one is a member of.
    if (storage_.Get<bool>(0, 5))
      co_await Do(fmt::format("GRANT ALL ON SCHEMA {} TO {}", spec_.schema,
                              storage_.Get<std::string>(0, 3)));
    co_await Do(fmt::format(
        "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
        "INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS) "
        "PARTITION BY RANGE ({}){}",
        name_, spec_.table, sql::QuoteIdentifier(spec_.column.name),
        storage_.Get<std::string>(0, 2)));
    co_await DoAll(kSettings);
    columns_ = co_await ColumnsLike(session_, spec_.table, name_);
    co_await MakeIndexes();
    for (const Range& range : spec_.next)
      co_await MakePartition(range.name,
                             fmt::format("FOR VALUES FROM ({}) TO ({})", range.from, range.to));
    if (!spec_.rest.empty()) co_await MakePartition(spec_.rest, "DEFAULT");
    co_await DoAll(kForeignKeys);
  }

 private:
  Task<> Do(std::string sql) { co_await session_.db().Query(sql); }

  Task<> DoAll(const char* query) {
    const pg::Result rows = co_await session_.db().Query(query, table_, name_);
    for (int i = 0; i < rows.rows(); ++i) co_await Do(rows.Get<std::string>(i, 0));
  }

  // A key is made as a constraint: no partitioned table takes one from an index.
  Task<> MakeIndexes() {
    const auto indexes =
        co_await rebuild::ReadIndexes(session_, table_, spec_.table, name_, spec_.schema);
    IndexPlaces places = co_await PlacesOf(session_, table_);
    for (const rebuild::Index& index : indexes) {
      const WidenedKey* key = FindKey(index.name);
      if (key == nullptr && index.name.starts_with("pgalter_")) continue;
      if (key != nullptr) {
        co_await Do(MakeKey(*key));
      } else if (!index.constraint.empty()) {
        const pg::Result definition = co_await session_.db().Query(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = $1 AND quote_ident(conname) = $2",
            table_, index.name);
        co_await Do(fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", name_, index.name,
                                PlaceKey(definition.Get<std::string>(0, 0), places[index.name])));
      } else {
        co_await Do(PlaceIndex(index.create, places[index.name]));
      }
      for (const std::string& remark : index.remarks)
        if (remark.starts_with("COMMENT") || remark.starts_with("ALTER INDEX")) co_await Do(remark);
    }
  }

  [[nodiscard]] const WidenedKey* FindKey(const std::string& index) const {
    for (const WidenedKey& key : spec_.keys)
      if (key.index == index) return &key;
    return nullptr;
  }

  [[nodiscard]] std::string MakeKey(const WidenedKey& key) const {
    if (key.constraint.empty())
      return fmt::format("CREATE UNIQUE INDEX {} ON {} ({}){}", key.index, name_, key.wide,
                         StoredIndex(key));
    return fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {} ({}){}", name_, key.index,
                       key.constraint, key.wide, StoredKey(key));
  }

  Task<> MakePartition(std::string name, std::string bound) {
    const std::string whole = spec_.schema + "." + name;
    const auto parsed = sql::ParseQualifiedName(name);
    if (!spec_.then.any() || bound == "DEFAULT" || !parsed) {
      co_await Do(fmt::format("CREATE {}TABLE {} PARTITION OF {} {}{}",
                              storage_.Get<std::string>(0, 0), whole, name_, bound,
                              storage_.Get<std::string>(0, 1)));
      co_await Settle(whole);
      co_return;
    }
    co_await Do(fmt::format("CREATE TABLE {} PARTITION OF {} {} PARTITION BY {}", whole, name_,
                            bound, spec_.then.by));
    Subdivision then = spec_.then;
    for (SubPart& part : then.parts) part.persistence = storage_.Get<std::string>(0, 0);
    for (const std::string& sql :
         MakeSubParts(then, spec_.schema, parsed->name, storage_.Get<std::string>(0, 1)))
      co_await Do(sql);
    co_await Settle(whole);
    for (const std::string& leaf : NamesOf(then, parsed->name))
      co_await Settle(spec_.schema + "." + leaf);
  }

  // To nobody but its owner; its columns as those of the table.
  Task<> Settle(std::string whole) {
    Texts settings;
    AddFor(whole, columns_, settings);
    for (const std::string& sql : settings) co_await Do(sql);
    // Default privileges open them to whom the parent is closed.
    const pg::Result grantees = co_await session_.db().Query(
        "SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid("
        "a.grantee)) END FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1::regclass"
        " AND a.grantee <> c.relowner",
        whole);
    for (int i = 0; i < grantees.rows(); ++i)
      co_await Do(
          fmt::format("REVOKE ALL ON TABLE {} FROM {}", whole, grantees.Get<std::string>(i, 0)));
    if (storage_.Get<bool>(0, 4))
      co_await Do(fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL", whole));
    if (storage_.Get<bool>(0, 5))
      co_await Do(
          fmt::format("ALTER TABLE {} OWNER TO {}", whole, storage_.Get<std::string>(0, 3)));
  }

  Session& session_;
  const Spec& spec_;
  pg::Oid table_;
  std::string name_;
  pg::Result storage_;
  Forms columns_;
};

}  // namespace

run::Task<bool> ParentStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> ParentStep::Do(run::Environment& env, const state::Step& step) {
  const Spec spec = FromJson(env.run.spec);
  const pg::Oid table = env.run.relid;
  const cutover::Joined joined = co_await cutover::ReadJoined(env.main, table);
  lock::Work work;
  if (!joined.referenced.empty()) {
    lock::LockRequest request;
    request.mode = locks::LockMode::kShareRowExclusive;
    for (const std::string& name : joined.referenced)
      if (auto parsed = sql::ParseQualifiedName(name)) request.tables.push_back(*parsed);
    work.lock = std::move(request);
  }
  auto body = [&]() -> Task<> {
    Parent parent(env.main, spec, table);
    co_await parent.Make();
  };
  work.body = body;
  auto record = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    state::Step kept = step;
    kept.spec[kShape] = co_await ShapeOf(env.main, table);
    co_await state::RecordSpec(env.main, env.lease, kept);
    co_await state::RecordArtefact(env.main, env.run.id, "schema", spec.schema);
    co_await state::RecordArtefact(env.main, env.run.id, "table", spec.schema + "." + spec.relname);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  work.record = record;
  lock::LadderOptions options;
  // Without a foreign key there is nobody who could wait.
  if (joined.referenced.empty()) options.hold_budget = kPatient;
  const lock::LadderOutcome outcome =
      co_await lock::RunUnderLadder(env.main, env.observer, std::move(work), options, env.stopper);
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(ExitCode::kLockNotObtained,
                  fmt::format("the partitioned table was not made, a table that {} refers to was "
                              "too busy: {}. Nothing was changed. Then: pgalter resume {}",
                              spec.table, fmt::join(lock::Lines(outcome), "\n"), env.run.id));
  async::FailPoint("parent-made");
}

// The ledger names all that it made.
run::Task<> ParentStep::Undo(run::Environment& env, const state::Step&) {
  const lock::LadderOptions options;
  async::Stopper never;  // an abort is a stop already
  const backfill::Which all;
  co_await backfill::DropArtefacts(env.main, env.observer, env.run.id, options, never, all);
}

}  // namespace pgalter::partition
