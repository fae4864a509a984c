#include "batcher/partition/detaching.h"

#include <fmt/format.h>

#include "batcher/cutover/carry_over.h"
#include "batcher/cutover/grants.h"
#include "batcher/cutover/keys_back.h"
#include "batcher/cutover/sequences.h"
#include "batcher/cutover/snapshot_guard.h"
#include "batcher/dependants/key_triggers.h"
#include "batcher/dependants/obstacles.h"
#include "engine/async/fail_point.h"
#include "engine/guard/execute.h"
#include "engine/guard/owner_only.h"
#include "engine/run/old_snapshots.h"
#include "engine/state/artefacts.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

namespace {

// Back: each index of the partition by the name of the one that it is a part of, with whether a
// constraint has it. $1 the partition.
constexpr const char* kFormerNames = R"sql(
SELECT quote_ident(c.relname), quote_ident(p.relname),
       obj_description(pc.oid, 'pg_constraint'), obj_description(p.oid, 'pg_class')
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
JOIN pg_inherits i ON i.inhrelid = x.indexrelid JOIN pg_class p ON p.oid = i.inhparent
LEFT JOIN pg_constraint pc ON pc.conindid = p.oid AND pc.contype IN ('p', 'u')
WHERE x.indrelid = $1
)sql";

// Back: its own foreign keys, with the comments that those of the parent have. $1 the partition.
constexpr const char* kKeyComments = R"sql(
SELECT quote_ident(f.conname), obj_description(p.oid, 'pg_constraint')
FROM pg_constraint f JOIN pg_constraint p ON p.oid = f.conparentid AND p.conrelid <> f.conrelid
WHERE f.conrelid = $1 AND f.contype = 'f' AND obj_description(p.oid, 'pg_constraint') IS NOT NULL
)sql";

constexpr const char* kColumns = R"sql(
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
)sql";

class Detaching {
 public:
  Detaching(run::Environment& env, const Pair& pair, Later unsettled)
      : env_(env),
        session_(env.main),
        pair_(pair),
        spec_(pair.spec),
        unsettled_(std::move(unsettled)) {}

  Task<> Run() {
    co_await guard::CheckLease(session_, env_.lease);
    const pg::Result names = co_await session_.db().Query(kFormerNames, pair_.table);
    const pg::Result comments = co_await session_.db().Query(kKeyComments, pair_.table);
    std::string again = "pgalter revert " + env_.run.id;
    co_await dependants::RefuseObstacle(session_, pair_.parent, spec_.table, again);
    co_await dependants::RefuseKeyTriggersOff(session_, pair_.parent, spec_.table, std::move(again),
                                              dependants::KeyTriggers::kInTheWay);
    co_await run::AwaitOldSnapshots(session_);
    // Not carried over: the plain table has no key for them.
    const Texts drops = co_await cutover::DropsNow(session_, spec_.inbound_drop);
    co_await Execute(session_, drops);
    const cutover::GrantsOf carried{{pair_.parent}, {}};
    std::string granted = co_await cutover::ReadGrants(session_, carried);
    cutover::Staying staying;
    staying.own_keys = staying.identities = true;
    staying.unsettled = co_await cutover::AllAsOfNow(session_, unsettled_.validate, unsettled_.on);
    staying.unadopted = co_await cutover::AllAsOfNow(session_, unsettled_.adopt, unsettled_.on);
    cutover::CarryOver carry = co_await cutover::ReadCarryOver(session_, pair_.parent, pair_.table,
                                                               spec_.table, pair_.made(), staying);
    // Foreign keys that refer to the table go first: a partition that they need is not let go.
    Texts statements = std::move(carry.before);
    statements.push_back(
        fmt::format("ALTER TABLE {} DETACH PARTITION {}", spec_.table, pair_.first()));
    co_await cutover::ExecuteBesideGrants(session_, statements, carried, granted);
    statements.clear();
    if (async::SafeguardOn("rows-back")) co_await MoveRows();
    co_await GuardSnapshots(statements);
    statements.push_back(fmt::format("CREATE SCHEMA {}", spec_.schema));
    statements.push_back(guard::TakeBackSchema(spec_.schema));
    statements.push_back(fmt::format("ALTER TABLE {} SET SCHEMA {}", spec_.table, spec_.schema));
    const auto moved = static_cast<std::ptrdiff_t>(statements.size());
    statements.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", pair_.first(), spec_.relname));
    NameBack(names, statements);
    CommentBack(comments, statements);
    co_await IdentitiesBack(statements);
    Append(statements, std::move(carry.after));
    const std::vector<rebuild::GoingKey> gone = GoneKeys(spec_);
    cutover::KeysBack inbound = co_await cutover::ReadKeysBack(session_, gone, spec_.table);
    Append(statements, std::move(inbound.after));
    statements.push_back(fmt::format("DROP TABLE {}", pair_.made()));
    statements.push_back(fmt::format("DROP SCHEMA {}", spec_.schema));
    const Texts up_to_moving(statements.begin(), statements.begin() + moved);
    co_await cutover::ExecuteBesideGrants(session_, up_to_moving, carried, std::move(granted));
    statements.erase(statements.begin(), statements.begin() + moved);
    co_await Execute(session_, statements);
    later_ = {std::move(carry.validate), std::move(carry.adopt), {}};
    Append(later_.validate, std::move(inbound.validate));
    Append(later_.adopt, std::move(inbound.adopt));
    later_.on = co_await cutover::ReadSettledOn(session_, later_.validate, later_.adopt);
    async::FailPoint("detached");
  }

  [[nodiscard]] const Later& later() const { return later_; }

 private:
  // Of those that wait for this lock: they do not see the rows that are moved.
  Task<> GuardSnapshots(Texts& statements) {
    const cutover::SnapshotGuard guard = cutover::GuardOf(env_.run.id, "pgalter");
    const Texts none;
    Append(statements, co_await cutover::MakeGuard(session_, guard, pair_.first(), none));
    state::Artefact made;
    made.run = env_.run.id;
    made.kind = "function";
    made.name = guard.function + "()";
    co_await state::RecordArtefact(session_, made);
    made.kind = "trigger";
    made.name = guard.trigger;
    made.relid = pair_.table;
    co_await state::RecordArtefact(session_, made);
  }

  // Of the other partitions; no trigger of the users' is on the table now.
  Task<> MoveRows() {
    const pg::Result row = co_await session_.db().Query(kColumns, pair_.table);
    const auto columns = row.Get<std::string>(0, 0);
    const Texts insert{fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}",
                                   pair_.first(), columns, columns, spec_.table)};
    co_await guard::ExecuteUnder(session_, spec_.settings, insert);
  }

  [[nodiscard]] const WidenedKey* FindKey(const std::string& index) const {
    for (const WidenedKey& key : spec_.keys)
      if (key.index == index) return &key;
    return nullptr;
  }

  void NameBack(const pg::Result& names, Texts& statements) const {
    for (int i = 0; i < names.rows(); ++i) {
      const auto now = names.Get<std::string>(i, 0);
      const auto then = names.Get<std::string>(i, 1);
      const WidenedKey* key = FindKey(then);
      if (key == nullptr) {
        statements.push_back(fmt::format("ALTER INDEX {}.{} RENAME TO {}", spec_.home, now, then));
        continue;
      }
      const std::string built = BackName(*key);
      if (key->constraint.empty()) {
        statements.push_back(fmt::format("DROP INDEX {}.{}", spec_.home, now));
        statements.push_back(
            fmt::format("ALTER INDEX {}.{} RENAME TO {}", spec_.home, built, then));
      } else {
        statements.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", spec_.table, now));
        statements.push_back(MakeKey(spec_.table, then, *key, built));
      }
      const auto on_constraint = names.Get<std::optional<std::string>>(i, 2);
      const auto on_index = names.Get<std::optional<std::string>>(i, 3);
      if (on_constraint)
        statements.push_back(fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", then, spec_.table,
                                         sql::QuoteLiteral(*on_constraint)));
      if (on_index)
        statements.push_back(fmt::format("COMMENT ON INDEX {}.{} IS {}", spec_.home, then,
                                         sql::QuoteLiteral(*on_index)));
    }
  }

  void CommentBack(const pg::Result& comments, Texts& statements) const {
    for (int i = 0; i < comments.rows(); ++i)
      statements.push_back(fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}",
                                       comments.Get<std::string>(i, 0), spec_.table,
                                       sql::QuoteLiteral(comments.Get<std::string>(i, 1))));
  }

  Task<> IdentitiesBack(Texts& statements) {
    for (const Identity& identity : spec_.identities) {
      const std::string parents = co_await SequenceOf(session_, spec_.table, identity.column);
      const auto parsed = sql::ParseQualifiedName(parents);
      const std::string sequence = spec_.home + "." + identity.name;
      // The one of before, where the conversion did not come to its end.
      statements.push_back(fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP IDENTITY IF EXISTS",
                                       spec_.table, identity.column));
      statements.push_back(fmt::format(
          "ALTER TABLE {} ALTER COLUMN {} ADD GENERATED {} AS IDENTITY (SEQUENCE NAME {} {})",
          spec_.table, identity.column, identity.kind, sequence, identity.options));
      // It went with its table.
      statements.push_back(
          cutover::HandOver(spec_.schema + "." + sql::QuoteIdentifier(parsed->name), sequence,
                            cutover::Former::kIsDropped));
    }
  }

  run::Environment& env_;
  Session& session_;
  const Pair& pair_;
  const Spec& spec_;
  Later unsettled_;
  Later later_;
};

}  // namespace

std::string BackName(const WidenedKey& key) {
  return "pgalter_back" + key.build.substr(std::string_view("pgalter_key").size());
}

// A run of an older program does not say of which table each is, nor its comment.
std::vector<rebuild::GoingKey> GoneKeys(const Spec& spec) {
  std::vector<rebuild::GoingKey> keys;
  for (std::size_t i = 0; i < spec.inbound.size(); ++i) {
    keys.push_back(
        {i < spec.inbound_tables.size() ? spec.inbound_tables[i] : spec.table, spec.inbound[i]});
    if (i < spec.inbound_relids.size()) keys.back().relid = spec.inbound_relids[i];
    if (i < spec.inbound_comments.size()) keys.back().comment = spec.inbound_comments[i];
  }
  return keys;
}

Task<Later> Detach(run::Environment& env, const Pair& pair, Later unsettled) {
  Detaching detaching(env, pair, std::move(unsettled));
  co_await detaching.Run();
  co_return detaching.later();
}

}  // namespace pgalter::partition
