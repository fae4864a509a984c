#include "batcher/partition/one_partition.h"

#include <fmt/format.h>

#include "batcher/partition/likeness.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/partman.h"
#include "batcher/partition/question.h"
#include "batcher/partition/referrers.h"
#include "batcher/partition/retain.h"
#include "batcher/partition/taken.h"
#include "engine/guard/role_settings.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// In what a table is not like the one that it would be a part of, each with the way out; $1 the
// table, $2 the parent.
constexpr const char* kUnlike = R"sql(
SELECT 'it is temporary' FROM pg_class WHERE oid = $1 AND relpersistence = 't'
UNION ALL
SELECT 'it is partitioned itself: rows are read to check their bounds, leaf by leaf, which cannot be '
       'proved by a CHECK beforehand here'
FROM pg_class WHERE oid = $1 AND relkind = 'p'
UNION ALL
SELECT 'it is a partition already, or inherits: detach it first'
WHERE EXISTS (SELECT FROM pg_inherits WHERE inhrelid = $1)
UNION ALL
SELECT 'another table inherits from it: NO INHERIT first'
WHERE EXISTS (SELECT FROM pg_inherits WHERE inhparent = $1)
UNION ALL
SELECT 'it is a typed table: ALTER TABLE ... NOT OF first' FROM pg_class
WHERE oid = $1 AND reloftype <> 0
UNION ALL
SELECT format('it has no column %I', p.attname)
FROM pg_attribute p LEFT JOIN pg_attribute t ON t.attrelid = $1 AND t.attname = p.attname
  AND NOT t.attisdropped
WHERE p.attrelid = $2 AND p.attnum > 0 AND NOT p.attisdropped AND t.attname IS NULL
UNION ALL
SELECT format('its column %I is not one of the partitioned table''s: drop it, or add it there',
              t.attname)
FROM pg_attribute t LEFT JOIN pg_attribute p ON p.attrelid = $2 AND p.attname = t.attname
  AND NOT p.attisdropped
WHERE t.attrelid = $1 AND t.attnum > 0 AND NOT t.attisdropped AND p.attname IS NULL
UNION ALL
SELECT format('column %I is %s, and has to be %s: change its type first', t.attname,
              format_type(t.atttypid, t.atttypmod), format_type(p.atttypid, p.atttypmod))
FROM pg_attribute t JOIN pg_attribute p ON p.attrelid = $2 AND p.attname = t.attname
WHERE t.attrelid = $1 AND t.attnum > 0 AND p.attnum > 0 AND NOT t.attisdropped
  AND NOT p.attisdropped
  AND (t.atttypid, t.atttypmod, t.attcollation) <> (p.atttypid, p.atttypmod, p.attcollation)
UNION ALL
SELECT format('column %I may be NULL: pgalter run --sql ''ALTER TABLE %s ALTER COLUMN %I SET NOT '
              'NULL''', t.attname, $1::oid::regclass, t.attname)
FROM pg_attribute t JOIN pg_attribute p ON p.attrelid = $2 AND p.attname = t.attname
WHERE t.attrelid = $1 AND t.attnum > 0 AND p.attnum > 0 AND NOT t.attisdropped
  AND NOT p.attisdropped AND p.attnotnull AND NOT t.attnotnull
UNION ALL
SELECT format('column %I is generated in one of the two tables alone', t.attname)
FROM pg_attribute t JOIN pg_attribute p ON p.attrelid = $2 AND p.attname = t.attname
WHERE t.attrelid = $1 AND t.attnum > 0 AND p.attnum > 0 AND NOT t.attisdropped
  AND NOT p.attisdropped AND t.attgenerated <> p.attgenerated
UNION ALL
SELECT format('column %I is generated as %s, which before PostgreSQL 16 has to be what it is in the '
              'partitioned table, %s: pgalter rebuild %s --alter %L', t.attname, e.own, e.wanted,
              $1::oid::regclass,
              format('DROP COLUMN %I, ADD COLUMN %I %s GENERATED ALWAYS AS (%s) STORED', t.attname,
                     t.attname, format_type(p.atttypid, p.atttypmod), e.wanted))
FROM pg_attribute t JOIN pg_attribute p ON p.attrelid = $2 AND p.attname = t.attname
JOIN pg_attrdef td ON td.adrelid = t.attrelid AND td.adnum = t.attnum
JOIN pg_attrdef pd ON pd.adrelid = p.attrelid AND pd.adnum = p.attnum
CROSS JOIN LATERAL (SELECT pg_get_expr(td.adbin, td.adrelid) AS own,
                           pg_get_expr(pd.adbin, pd.adrelid) AS wanted) e
WHERE t.attrelid = $1 AND t.attnum > 0 AND p.attnum > 0 AND NOT t.attisdropped
  AND NOT p.attisdropped AND t.attgenerated <> '' AND t.attgenerated = p.attgenerated
  AND e.own <> e.wanted AND current_setting('server_version_num')::int < 160000
UNION ALL
SELECT format('column %I is an identity column, which a partition''s must not be: ALTER TABLE %s ALTER '
              'COLUMN %I DROP IDENTITY first', attname, $1::oid::regclass, attname)
FROM pg_attribute
WHERE attrelid = $1 AND attidentity <> '' AND current_setting('server_version_num')::int >= 170000
UNION ALL
SELECT format('CHECK constraint %I of the partitioned table is missing: add it first, NOT VALID, and '
              'VALIDATE it', c.conname)
FROM pg_constraint c WHERE c.conrelid = $2 AND c.contype = 'c' AND NOT c.connoinherit
  AND NOT EXISTS (SELECT FROM pg_constraint t WHERE t.conrelid = $1 AND t.conname = c.conname
                  AND t.contype = 'c' AND t.convalidated AND NOT t.connoinherit
                  AND pg_get_constraintdef(t.oid) = pg_get_constraintdef(c.oid))
UNION ALL
SELECT format('row trigger %I has transition tables, which a partition''s cannot have: make it a '
              'trigger FOR EACH STATEMENT', tgname)
FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal AND tgtype & 1 = 1
  AND (tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL)
)sql";

constexpr const char* kParent = R"sql(
SELECT format('%I.%I', n.nspname, p.relname), format('%I.%I', cn.nspname, c.relname),
       pg_get_expr(c.relpartbound, c.oid), i.inhdetachpending,
       (SELECT format('%I.%I', xn.nspname, x.relname) FROM pg_inherits o
        JOIN pg_class x ON x.oid = o.inhrelid JOIN pg_namespace xn ON xn.oid = x.relnamespace
        WHERE o.inhparent = i.inhparent AND o.inhdetachpending AND o.inhrelid <> i.inhrelid LIMIT 1),
       p.oid
FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
JOIN pg_namespace n ON n.oid = p.relnamespace
JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
WHERE i.inhrelid = $1
)sql";

// The last that holds rows itself, the default partition if there is no other; empty: none.
std::string SiblingOf(const std::vector<Member>& members) {
  std::string sibling;
  for (const Member& member : members)
    if (!member.divided && !member.foreign && (!member.is_default || sibling.empty()))
      sibling = member.name;
  return sibling;
}

Task<> RefuseTakenName(Session& session, Place place) {
  const std::string name = place.home + "." + place.name;
  const pg::Result row = co_await session.db().Query("SELECT to_regclass($1) IS NOT NULL", name);
  if (row.Get<bool>(0, 0))
    throw Failure(ExitCode::kRefused,
                  fmt::format("there is a relation {} already: give the partition another --name, "
                              "or make a partition of it with: pgalter partition attach. Nothing "
                              "was changed",
                              name));
  co_await RefuseTaken(session, std::move(place), Arrival::kMadeThere);
}

// A plan proves bounds by CHECKs of the column, which compares otherwise then.
void RefuseOtherCollation(const Whole& whole) {
  if (whole.key == whole.column) return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("{} compares {} by its partitions'{}, which is not the column's own: what a "
                  "CHECK of the bound says is not what the partitions hold, and rows cannot be "
                  "read before the lock. At a quiet time, by hand: ALTER TABLE … ATTACH PARTITION. "
                  "Nothing was changed",
                  whole.table.name, whole.column, whole.collation));
}

// What the other partitions hold; NULL: there is none.
constexpr const char* kTaken = R"sql(
SELECT string_agg(format('(%s)', pg_get_partition_constraintdef(inhrelid)), ' OR ')
FROM pg_inherits WHERE inhparent = $1
)sql";

// Read without a lock, before a CHECK of the bound keeps its users from such rows and is then found
// to be broken by one.
Task<> RefuseMisfits(Session& session, const Whole& whole, const backfill::Table& table,
                     const Bound& bound) {
  std::string outside;
  if (!bound.inside.empty()) {
    outside = fmt::format("({}) IS NOT TRUE", bound.inside);
  } else {
    const pg::Result taken = co_await session.db().Query(kTaken, whole.table.oid);
    outside = taken.Get<std::optional<std::string>>(0, 0).value_or("");
  }
  if (outside.empty()) co_return;
  Question question;
  question.sql = fmt::format("SELECT EXISTS (SELECT FROM ONLY {} WHERE {})", table.name, outside);
  question.what = fmt::format("whether {} has rows that its bound does not hold", table.name);
  question.tables = {table.name};
  const pg::Result misfit = co_await Ask(session, std::move(question));
  if (!misfit.Get<bool>(0, 0)) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("cannot attach {0} to {1}: it has rows that a partition {2} does not "
                            "hold. They are found by: SELECT * FROM {0} WHERE {3}. Nothing was "
                            "changed",
                            table.name, whole.table.name, bound.text, outside));
}

// Where the planner, which knows no values, cannot say the bound, it is given the server's words
// for it: the CHECKs come before, and go once the bound stands.
struct Proof {
  std::vector<std::string> before;
  std::vector<std::string> after;
};

void AddProof(const std::string& table, const char* name, const std::string& condition,
              Proof& proof) {
  proof.before.push_back(
      fmt::format("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({})", table, name, condition));
  proof.after.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", table, name));
}

bool IsSaidByPlanner(const Whole& whole, const Bound& bound) {
  return !whole.column.empty() || whole.strategy == Strategy::kHash || bound.inside.empty();
}

// That no row of the default partition belongs there.
void ProveOutside(const Whole& whole, const Bound& bound, Proof& proof) {
  if (!IsSaidByPlanner(whole, bound) && !whole.rest.empty())
    AddProof(whole.rest, "pgalter_outside", bound.outside, proof);
}

// That all rows of the table do; the bounds of what the whole is a part of itself are asked for,
// too.
Task<> ProveInside(Session& session, const Whole& whole, const std::string& table,
                   const Bound& bound, Proof& proof) {
  if (IsSaidByPlanner(whole, bound)) co_return;
  std::string inside = bound.inside;
  if (whole.is_partition) {
    const pg::Result above =
        co_await session.db().Query("SELECT pg_get_partition_constraintdef($1)", whole.table.oid);
    inside = fmt::format("({}) AND ({})", inside, above.Get<std::string>(0, 0));
  }
  AddProof(table, "pgalter_bound", inside, proof);
}

void Append(std::vector<std::string>& script, const std::vector<std::string>& statements) {
  script.insert(script.end(), statements.begin(), statements.end());
}

}  // namespace

Task<OneChange> PlanAdd(Session& session, std::string table, BoundWish wish, std::string name) {
  RefuseLongName(name);
  co_await RefuseUnknownZone(session, wish.time_zone);
  const Whole whole = co_await FindWhole(session, std::move(table));
  co_await RefuseStranger(session, whole.table.oid);
  co_await RefuseBesidePartman(session, whole.table, PartmanKeeps::kNames);
  const std::vector<Member> members = co_await ReadMembers(session, whole);
  const Bound bound = co_await SettleBound(session, whole, members, std::move(wish));
  OneChange change;
  change.parent = whole.table.name;
  change.bound = bound.text;
  Place place;
  place.home = whole.home;
  place.name = name.empty() ? PartName(whole.table.relname, bound.end) : sql::QuoteIdentifier(name);
  change.partition = place.home + "." + place.name;
  co_await RefuseTakenName(session, std::move(place));
  if (!whole.rest.empty()) RefuseOtherCollation(whole);
  co_await RefuseRowsInDefault(session, whole, bound.inside);
  std::string sibling = SiblingOf(members);
  const Likeness likeness = co_await LikeTheOthers(session, whole.table, std::move(sibling));
  Proof proof;
  ProveOutside(whole, bound, proof);
  change.script = proof.before;
  Append(change.script, MakePartition(likeness, change.partition, change.parent, bound.text));
  Append(change.script, proof.after);
  co_return change;
}

Task<OneChange> PlanAttach(Session& session, std::string table, std::string parent,
                           BoundWish wish) {
  co_await RefuseUnknownZone(session, wish.time_zone);
  const Whole whole = co_await FindWhole(session, std::move(parent));
  co_await RefuseStranger(session, whole.table.oid);
  const backfill::Table found = co_await FindOwned(session, std::move(table), "attach");
  co_await RefuseBesidePartman(session, whole.table, PartmanKeeps::kNames);
  const pg::Result unlike = co_await session.db().Query(kUnlike, found.oid, whole.table.oid);
  if (!unlike.empty())
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot attach {} to {}: {}. Nothing was changed", found.name,
                              whole.table.name, unlike.Get<std::string>(0, 0)));
  const std::vector<Member> members = co_await ReadMembers(session, whole);
  RefuseOtherCollation(whole);
  const Bound bound = co_await SettleBound(session, whole, members, std::move(wish));
  co_await RefuseRowsInDefault(session, whole, bound.inside);
  co_await RefuseMisfits(session, whole, found, bound);
  OneChange change;
  change.parent = whole.table.name;
  change.partition = found.name;
  change.bound = bound.text;
  Proof proof;
  co_await ProveInside(session, whole, found.name, bound, proof);
  ProveOutside(whole, bound, proof);
  change.script = proof.before;
  change.script.push_back(fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", change.parent,
                                      change.partition, bound.text));
  Append(change.script, proof.after);
  co_return change;
}

Task<OneChange> PlanDetach(Session& session, std::string partition,
                           async::Milliseconds hold_budget) {
  backfill::Spec look;
  look.table = std::move(partition);
  look.settings = co_await guard::RoleSettings(session);
  const pg::Oid found = co_await backfill::FindOid(session, look);
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  const pg::Result row = co_await session.db().Query(kParent, found);
  if (row.empty())
    throw Failure(ExitCode::kUsage, fmt::format("{} is no partition of any table", look.table));
  OneChange change;
  change.parent = row.Get<std::string>(0, 0);
  change.partition = row.Get<std::string>(0, 1);
  change.bound = row.Get<std::optional<std::string>>(0, 2).value_or("");
  const auto whole = row.Get<pg::Oid>(0, 5);
  co_await RefuseStranger(session, whole);
  // One that is half detached is ended in any case.
  if (!row.Get<bool>(0, 3)) {
    const backfill::Table parent = co_await backfill::FindTableByOid(session, whole);
    const std::vector<std::int64_t> oids{found, whole};
    const std::vector<std::string> names{change.partition, change.parent};
    const std::string held = co_await FindLegalHold(session, oids, names);
    if (!held.empty())
      throw Failure(ExitCode::kRefused,
                    fmt::format("cannot detach {}: {}. Nothing was changed. Where it may go: "
                                "pgalter partition release, of what is held",
                                change.partition, held));
    co_await RefuseBesidePartman(session, parent, PartmanKeeps::kRetention);
    const Staying staying =
        co_await FindReferrers(session, parent.oid, change.partition, hold_budget);
    if (!staying.why.empty())
      throw Failure(ExitCode::kRefused, fmt::format("cannot detach {}: {}. Nothing was changed",
                                                    change.partition, staying.why));
  }
  const auto other = row.Get<std::optional<std::string>>(0, 4);
  if (!row.Get<bool>(0, 3) && other)
    throw Failure(ExitCode::kRefused,
                  fmt::format("{} is half detached from {}, and the server detaches one partition "
                              "at a time: end that first with: pgalter partition detach {} --yes",
                              *other, change.parent, *other));
  change.script.push_back(
      fmt::format("ALTER TABLE {} DETACH PARTITION {}", change.parent, change.partition));
  co_return change;
}

}  // namespace pgalter::partition
