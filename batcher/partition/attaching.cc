#include "batcher/partition/attaching.h"

#include <fmt/format.h>

#include <algorithm>

#include "batcher/cutover/carry_over.h"
#include "batcher/cutover/grants.h"
#include "batcher/cutover/sequences.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/shape.h"
#include "engine/async/fail_point.h"
#include "engine/lock/ask_ahead.h"
#include "engine/pg/kept_plans.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"
#include "engine/state/steps.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// The indexes of the table with the names that they get as parts of the partition's, which follow
// its own: "orders_until_2027_01_pkey" for "orders_pkey" of "orders"; something shorter where that
// is too long, or taken. $1 the table, $2 its name, $3 the partition's (unquoted).
constexpr const char* kIndexNames = R"sql(
SELECT quote_ident(relname),
  quote_ident(CASE WHEN octet_length(made) > 63 OR nth > 1
                     OR EXISTS (SELECT FROM pg_class t WHERE t.relname = made::name
                                AND t.relnamespace = i.relnamespace)
                   THEN left(made, 13) || '_' || left(md5(made || ' ' || relname), 8)
                   ELSE made END)
FROM (
  SELECT c.relname, c.relnamespace, made,
         row_number() OVER (PARTITION BY made ORDER BY c.relname) AS nth
  FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
  CROSS JOIN LATERAL (SELECT CASE WHEN starts_with(c.relname, $2::text || '_')
                                  THEN $3::text || substr(c.relname, length($2::text) + 1)
                                  ELSE $3::text || '_' || c.relname END AS made) m
  WHERE x.indrelid = $1 AND c.relname NOT LIKE 'pgalter\_%') i
)sql";

// The server has named the indexes of the new partitions where they were made; in the table's own
// schema another relation, not of the table's, may be called so. Those with a name that is free. $1
// the run's schema, $2 the table.
constexpr const char* kTakenNames = R"sql(
SELECT format('ALTER INDEX %I.%I RENAME TO %I', n.nspname, c.relname, f.name)
FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('i', 'I')
JOIN pg_class home ON home.oid = $2
JOIN pg_class t ON t.relname = c.relname AND t.relnamespace = home.relnamespace
CROSS JOIN LATERAL (
  SELECT left(c.relname, 13) || '_' || left(md5(format('%s %s', c.relname, g)), 8) AS name
  FROM generate_series(1, 100) g
  WHERE NOT EXISTS (
    SELECT FROM pg_class o WHERE o.relnamespace IN (n.oid, home.relnamespace)
      AND o.relname = (left(c.relname, 13) || '_' || left(md5(format('%s %s', c.relname, g)), 8))::name)
  LIMIT 1) f
WHERE quote_ident(n.nspname) = $1::text
  AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indexrelid = t.oid AND x.indrelid = home.oid)
)sql";

// By what depends on the table: pg_constraint has no index for keys to it.
constexpr const char* kDropInbound = R"sql(
SELECT format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, f.conname)
FROM (SELECT DISTINCT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
        AND refclassid = 'pg_class'::regclass AND refobjid = $1) d
JOIN pg_constraint f ON f.oid = d.objid JOIN pg_class c ON c.oid = f.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.confrelid = $1 AND f.contype = 'f' AND f.conparentid = 0
  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1 AND attname = ANY ($2::text[])
              AND attnum <> ALL (f.confkey))
)sql";

// The table's own foreign keys, which the parent has under the same names; $1 the table, $2 the
// parent's name.
constexpr const char* kKeyComments = R"sql(
SELECT format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, $2::text, d)
FROM pg_constraint f CROSS JOIN LATERAL obj_description(f.oid, 'pg_constraint') d
WHERE conrelid = $1 AND contype = 'f' AND conparentid = 0 AND confrelid <> $1 AND d IS NOT NULL
)sql";

// From this version on, a partition has the identity of its parent.
constexpr int kOneIdentity = 170000;

// Rights are asked of the parent; those on the partition would be a way around its policies.
constexpr const char* kRevoke = R"sql(
SELECT DISTINCT format('REVOKE ALL ON TABLE %s FROM %s CASCADE', $2::text,
  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
FROM (SELECT relacl AS acl FROM pg_class WHERE oid = $1
      UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = $1) o, aclexplode(o.acl) a
WHERE a.grantee <> (SELECT relowner FROM pg_class WHERE oid = $1)
)sql";

class Attaching {
 public:
  Attaching(run::Environment& env, const Pair& pair)
      : env_(env), session_(env.main), pair_(pair), spec_(pair.spec) {}

  // In the transaction of an attempt, before the locks: all that Run asks.
  Task<> Ask() {
    co_await Check();
    co_await ReadDropped();
    co_await ReadGranted();
    co_await Write();
    co_await Record();
  }

  // In the transaction that holds the locks.
  Task<> Run() {
    co_await Check();
    Texts dropped = co_await ReadDropped();
    co_await Execute(session_, dropped);
    std::string granted = co_await ReadGranted();
    Texts statements = co_await Write();
    Texts up_to_renaming(statements.begin(), statements.begin() + renamed_);
    cutover::GrantsOf carried = Carried();
    co_await cutover::ExecuteBesideGrants(session_, up_to_renaming, std::move(carried),
                                          std::move(granted));
    statements.erase(statements.begin(), statements.begin() + renamed_);
    co_await Execute(session_, statements);
    later_.on = co_await cutover::ReadSettledOn(session_, later_.validate, later_.adopt);
    co_await Record();
    async::FailPoint("attached");
  }

  [[nodiscard]] const Later& later() const { return later_; }

 private:
  Task<> Check() {
    co_await guard::CheckLease(session_, env_.lease);
    co_await CheckShape();
    co_await CheckObstacles();
  }

  Task<Texts> ReadDropped() {
    const Texts columns = PartColumns(spec_);
    co_return co_await ReadTexts(session_, kDropInbound, pg::Params::Of(pair_.table, columns));
  }

  // Whose rights are carried over.
  [[nodiscard]] cutover::GrantsOf Carried() const { return {{pair_.table}, {}}; }

  Task<std::string> ReadGranted() {
    cutover::GrantsOf of = Carried();
    co_return co_await cutover::ReadGrants(session_, std::move(of));
  }

  // What attaches it, once what ReadDropped says is done; `renamed_` and `later_`.
  Task<Texts> Write() {
    cutover::Staying staying;
    staying.own_keys = staying.identities = true;
    cutover::CarryOver carry = co_await cutover::ReadCarryOver(session_, pair_.table, pair_.parent,
                                                               spec_.table, pair_.first(), staying);
    Texts statements = std::move(carry.before);
    co_await Rename(statements);
    co_await MoveIdentities(statements);
    statements.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", spec_.table, spec_.first));
    renamed_ = static_cast<std::ptrdiff_t>(statements.size());
    Append(statements,
           co_await ReadTexts(session_, kTakenNames, pg::Params::Of(spec_.schema, pair_.table)));
    for (const std::string& name : Made())
      statements.push_back(
          fmt::format("ALTER TABLE {}.{} SET SCHEMA {}", spec_.schema, name, spec_.home));
    statements.push_back(
        fmt::format("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM (MINVALUE) TO ({})",
                    spec_.table, pair_.first(), spec_.upto));
    Append(statements, std::move(carry.after));
    Append(statements,
           co_await ReadTexts(session_, kKeyComments, pg::Params::Of(pair_.table, spec_.table)));
    Append(statements, spec_.inbound_make);
    statements.push_back(
        fmt::format("ALTER TABLE {} DROP CONSTRAINT pgalter_bound", pair_.first()));
    Append(statements,
           co_await ReadTexts(session_, kRevoke, pg::Params::Of(pair_.table, pair_.first())));
    statements.push_back(fmt::format("DROP SCHEMA {}", spec_.schema));
    later_ = {std::move(carry.validate), std::move(carry.adopt), {}};
    co_return statements;
  }

  // The tables are users' now, and the schema is gone.
  Task<> Record() {
    std::vector<state::Artefact> gone = co_await state::LiveArtefacts(session_, env_.run.id);
    std::erase_if(gone, [](const state::Artefact& artefact) {
      return artefact.kind != "table" && artefact.kind != "schema";
    });
    co_await state::RecordAllDropped(session_, env_.run.id, std::move(gone));
  }

  [[nodiscard]] Texts Made() const {
    Texts names{spec_.relname};
    for (const Range& range : spec_.next) {
      names.push_back(range.name);
      if (const auto parsed = sql::ParseQualifiedName(range.name))
        Append(names, NamesOf(spec_.then, parsed->name));
    }
    if (!spec_.rest.empty()) names.push_back(spec_.rest);
    return names;
  }

  Task<> CheckShape() {
    const std::string now = co_await ShapeOf(session_, pair_.table);
    for (const state::Step& step : co_await state::LoadSteps(session_, env_.run.id)) {
      const auto* then = step.spec.if_contains(kShape);
      if (then == nullptr || std::string_view(then->as_string()) == now) continue;
      if (!async::SafeguardOn("shape")) continue;
      throw Failure(ExitCode::kRefused,
                    fmt::format("{} got other columns, indexes or constraints while run {} worked "
                                "on it, which its new parent lacks. Nothing was changed. pgalter "
                                "abort {} --yes, and begin again",
                                spec_.table, env_.run.id, env_.run.id));
    }
  }

  // Whatever somebody has hung on the table meanwhile would be bound to one partition.
  Task<> CheckObstacles() {
    if (!async::SafeguardOn("obstacles")) co_return;
    const Hindrance hindrance = co_await FindHindrance(session_, pair_.table, spec_.column.name);
    std::string why = hindrance.why;
    const Texts columns = PartColumns(spec_);
    const auto inbound = co_await FindInboundKeys(session_, pair_.table, columns);
    Texts adds;
    for (const InboundKey& key : inbound) adds.push_back(key.add);
    if (why.empty() && adds != spec_.inbound)
      why = "the foreign keys that refer to it are not those of the beginning";
    if (why.empty()) co_return;
    throw Failure(
        ExitCode::kRefused,
        fmt::format("{} was changed while run {} worked on it: {}. Nothing was changed by "
                    "this step. Then: pgalter resume {}, or pgalter abort {} --yes",
                    spec_.table, env_.run.id, why, env_.run.id, env_.run.id));
  }

  Task<> Rename(Texts& statements) {
    const auto relname = sql::ParseQualifiedName(spec_.relname);
    const auto first = sql::ParseQualifiedName(spec_.first);
    const pg::Result names =
        co_await session_.db().Query(kIndexNames, pair_.table, relname->name, first->name);
    for (int row = 0; row < names.rows(); ++row) {
      const auto then = names.Get<std::string>(row, 0);
      const auto now = names.Get<std::string>(row, 1);
      const auto key = std::ranges::find(spec_.keys, then, &WidenedKey::index);
      if (key == spec_.keys.end())
        statements.push_back(fmt::format("ALTER INDEX {}.{} RENAME TO {}", spec_.home, then, now));
      else
        Replace(*key, now, statements);
    }
  }

  void Replace(const WidenedKey& key, const std::string& name, Texts& statements) const {
    if (key.constraint.empty()) {
      statements.push_back(fmt::format("DROP INDEX {}.{}", spec_.home, key.index));
      statements.push_back(
          fmt::format("ALTER INDEX {}.{} RENAME TO {}", spec_.home, key.build, name));
      return;
    }
    statements.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", spec_.table, key.index));
    statements.push_back(MakeKey(spec_.table, name, key, key.build));
  }

  // The parent's sequence goes on where the table's was. That one stays until nobody waits for it
  // any more (attach_step.cc), where the server lets a partition have an identity of its own.
  Task<> MoveIdentities(Texts& statements) {
    const bool stays = session_.db().server_version() < kOneIdentity;
    const cutover::Former former = stays ? cutover::Former::kStays : cutover::Former::kIsDropped;
    int number = 0;
    for (const Identity& identity : spec_.identities) {
      const std::string made = co_await SequenceOf(session_, pair_.made(), identity.column);
      const std::string own = co_await SequenceOf(session_, spec_.table, identity.column);
      statements.push_back(cutover::HandOver(own, made, former));
      if (stays)
        statements.push_back(fmt::format("ALTER SEQUENCE {} RENAME TO pgalter_former_{}_{}", own,
                                         env_.run.id.substr(0, 8), ++number));
      else
        statements.push_back(fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP IDENTITY",
                                         spec_.table, identity.column));
      const auto parsed = sql::ParseQualifiedName(made);
      const std::string now = sql::QuoteIdentifier(parsed->name);
      if (now != identity.name)
        statements.push_back(
            fmt::format("ALTER SEQUENCE {}.{} RENAME TO {}", spec_.schema, now, identity.name));
    }
  }

  run::Environment& env_;
  Session& session_;
  const Pair& pair_;
  const Spec& spec_;
  std::ptrdiff_t renamed_ = 0;  // statements up to the renaming
  Later later_;
};

}  // namespace

Task<Later> Attach(run::Environment& env, const Pair& pair) {
  const pg::KeptPlans plans(env.main.db());
  Attaching attaching(env, pair);
  co_await attaching.Run();
  co_return attaching.later();
}

Task<> RehearseAttach(run::Environment& env, const Pair& pair) {
  Attaching attaching(env, pair);
  auto ask = [&]() -> Task<> { co_await attaching.Ask(); };
  co_await lock::AskAhead(env.main, ask);
}

}  // namespace pgalter::partition
