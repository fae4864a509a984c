#include "batcher/partition/referrers.h"

#include <fmt/format.h>

#include <chrono>

#include "batcher/partition/question.h"
#include "engine/lock/blocker.h"
#include "engine/run/failure.h"
#include "engine/run/long_work.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

namespace {

using async::Milliseconds;

constexpr const char* kInstalled =
    "SELECT coalesce(has_table_privilege(to_regclass('pgalter.run'), 'SELECT'), false)";

// Whether an index of k.child begins with k.columns, in whatever order.
constexpr const char* kIndexed = R"sql(
EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.child AND i.indisvalid AND i.indpred IS NULL
          AND (SELECT array_agg(quote_ident(a.attname)) FROM pg_attribute a
               WHERE a.attrelid = i.indrelid
                 AND a.attnum = ANY ((i.indkey::int2[])[0:cardinality(k.columns) - 1]))
              @> k.columns)
)sql";

// Where the triggers are still there, and the table that refers, as it is now: it is the one that
// has its own of them, which go along where it is rebuilt or partitioned. By its name alone it is
// known to a run of an older program.
constexpr const char* kChecks = R"sql(
SELECT DISTINCT format('%I.%I', n.nspname, x.relname), c ->> 'name',
       array_to_string(k.columns, ', '),
       format('%s%I.%I AS y', CASE x.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname, x.relname),
       c ->> 'refers', {}, k.child = $1
FROM pgalter.run r
CROSS JOIN LATERAL jsonb_array_elements((r.spec -> 'inbound_checks')::jsonb) c
CROSS JOIN LATERAL (
  SELECT coalesce(
           (SELECT min(g.tgrelid) FROM pg_trigger g
            WHERE g.tgfoid = to_regprocedure(c ->> 'refers_function') AND g.tgparentid = 0),
           (SELECT oid FROM pg_class WHERE oid = (c ->> 'relid')::oid),
           to_regclass(c ->> 'table')::oid) AS child,
         ARRAY(SELECT jsonb_array_elements_text(coalesce(c -> 'columns', '[]'))) AS columns) k
JOIN pg_class x ON x.oid = k.child JOIN pg_namespace n ON n.oid = x.relnamespace
JOIN pg_trigger t ON t.tgrelid = $1 AND t.tgfoid = to_regprocedure(c ->> 'function')
WHERE r.command IN ('partition convert', 'rebuild')
ORDER BY 1, 2
)sql";

// Those of the whole, not their parts on partitions of either side. The server asks for others: a
// table's own, and those that refer to periods of time. It asks for none that is not enforced. What
// may not be read by this role is left to the server, too. Which column a partition is found by
// says little about a row of it: an index of the others does.
constexpr const char* kForeignKeys = R"sql(
SELECT format('%I.%I', n.nspname, c.relname), quote_ident(f.conname),
       array_to_string(k.columns, ', '),
       format('%s%I.%I AS y', CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname,
              c.relname), k.refers, {}, false
FROM pg_constraint f
JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_partitioned_table w ON w.partrelid = f.confrelid
CROSS JOIN LATERAL (
  SELECT f.conrelid AS child,
         coalesce(array_agg(quote_ident(a.attname) ORDER BY u.place)
                    FILTER (WHERE u.parent <> ALL (w.partattrs::int2[])),
                  array_agg(quote_ident(a.attname) ORDER BY u.place)) AS columns,
         string_agg(format('x.%I OPERATOR(%I.%s) y.%I', b.attname, m.nspname, o.oprname, a.attname),
                    ' AND ' ORDER BY u.place) AS refers
  FROM unnest(f.conkey, f.confkey, f.conpfeqop) WITH ORDINALITY u (child, parent, op, place)
  JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = u.child
  JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = u.parent
  JOIN pg_operator o ON o.oid = u.op JOIN pg_namespace m ON m.oid = o.oprnamespace) k
WHERE f.confrelid = $1 AND f.contype = 'f' AND f.conrelid <> f.confrelid
  AND NOT EXISTS (SELECT FROM pg_constraint p
                  WHERE p.oid = f.conparentid AND p.confrelid = f.confrelid)
  AND coalesce((to_jsonb(f) ->> 'conenforced')::boolean, true)
  AND NOT coalesce((to_jsonb(f) ->> 'conperiod')::boolean, false)
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(f.conrelid, 'SELECT')
  AND NOT row_security_active(f.conrelid)
ORDER BY 1, 2
)sql";

Task<std::vector<Referring>> Read(Session& session, const char* query, pg::Oid whole) {
  const pg::Result rows =
      co_await session.db().Query(fmt::format(fmt::runtime(query), kIndexed), whole);
  std::vector<Referring> all;
  for (int i = 0; i < rows.rows(); ++i)
    all.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1),
                   rows.Get<std::string>(i, 2), rows.Get<std::string>(i, 3),
                   rows.Get<std::string>(i, 4), rows.Get<bool>(i, 5), rows.Get<bool>(i, 6)});
  co_return all;
}

Task<bool> IsInstalled(Session& session) {
  const pg::Result row = co_await session.db().Query(kInstalled);
  co_return row.Get<bool>(0, 0);
}

std::string WhetherAnyRefers(const Referring& by, const std::string& partition) {
  std::string stays;
  if (by.to_itself)
    stays = fmt::format(
        " WHERE y.tableoid <> ALL (ARRAY(SELECT relid::oid FROM pg_partition_tree({})))",
        sql::QuoteLiteral(partition));
  return fmt::format("SELECT EXISTS (SELECT FROM {} AS x JOIN {} ON {}{})", partition, by.rows,
                     by.refers, stays);
}

Task<bool> AnyRefers(Session& session, const Referring& by, std::string partition) {
  const pg::Result refer = co_await session.db().Query(WhetherAnyRefers(by, partition));
  co_return refer.Get<bool>(0, 0);
}

// While nothing is locked.
Task<bool> AnyRefersNow(Session& session, const Referring& by, std::string partition) {
  Question question;
  question.sql = WhetherAnyRefers(by, partition);
  question.what = fmt::format("whether rows of {} refer to those of {}", by.table, partition);
  question.tables = {by.table, std::move(partition)};
  const pg::Result refer = co_await Ask(session, std::move(question));
  co_return refer.Get<bool>(0, 0);
}

std::string TriggersDoNotFire(const Referring& by, const std::string& partition) {
  return fmt::format(
      "rows of {0} refer to its rows, and the triggers that stand for foreign key {1} do not "
      "fire when a partition goes: DELETE FROM {2} does with each row what the foreign key "
      "did; then again",
      by.table, by.name, partition);
}

std::string KeyForbids(const Referring& by, const std::string& partition) {
  return fmt::format(
      "rows of {0} refer to its rows by foreign key {1}, and the server lets no such partition go: "
      "delete those rows, or DELETE FROM {2}, which does with each what the foreign key says; then "
      "again",
      by.table, by.name, partition);
}

// "pgalter run --sql '…' --yes"; empty: there is one, or its columns are not known.
std::string MissingIndex(const Referring& by) {
  if (by.indexed || by.columns.empty()) return "";
  return fmt::format(
      "no index of {0} begins with {1}: pgalter run --sql 'CREATE INDEX ON {0} ({1})' --yes",
      by.table, by.columns);
}

// What is read the first time may have to come from disk, the second time less of it: what it takes
// then it would take under the lock.
Task<std::string> TooLong(Session& session, const Referring& by, std::string partition,
                          Milliseconds hold_budget) {
  const auto begun = async::Clock::now();
  co_await AnyRefersNow(session, by, std::move(partition));
  const auto took =
      std::chrono::duration_cast<Milliseconds>(async::Clock::now() - begun) + Milliseconds(1);
  if (took <= hold_budget) co_return "";
  const std::string index = MissingIndex(by);
  co_return fmt::format(
      "whether rows of {} refer to its rows takes {} to find out, which has to be done under a "
      "lock, and users may wait for {} there: {}{}let them wait, with --hold-budget {}s",
      by.table, lock::HumanAge(took), lock::HumanAge(hold_budget), index,
      index.empty() ? "" : "; or ",
      std::chrono::duration_cast<std::chrono::seconds>(2 * took).count() + 1);
}

}  // namespace

Task<Staying> FindReferrers(Session& session, pg::Oid whole, std::string partition,
                            Milliseconds hold_budget) {
  const bool installed = co_await IsInstalled(session);
  std::vector<Referring> all;
  if (installed) all = co_await Read(session, kChecks, whole);
  const std::size_t checked = all.size();
  const std::vector<Referring> keys = co_await Read(session, kForeignKeys, whole);
  all.insert(all.end(), keys.begin(), keys.end());
  Staying staying;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto begun = async::Clock::now();
    const bool refers = co_await AnyRefersNow(session, all[i], partition);
    if (refers)
      staying.why =
          i < checked ? TriggersDoNotFire(all[i], partition) : KeyForbids(all[i], partition);
    if (refers) co_return staying;
    if (async::Clock::now() - begun <= hold_budget) continue;
    staying.why = co_await TooLong(session, all[i], partition, hold_budget);
    staying.slow = !staying.why.empty();
    if (staying.slow) co_return staying;
  }
  co_return staying;
}

Task<bool> TriggerReferrers::Possible(Session& session, pg::Oid parent) const {
  const std::vector<Referring> checks = co_await Read(session, kChecks, parent);
  co_return !checks.empty();
}

Task<std::string> TriggerReferrers::Find(Session& session, pg::Oid parent,
                                         std::string partition) const {
  const std::vector<Referring> checks = co_await Read(session, kChecks, parent);
  const run::PatientSession patient(session);
  for (const Referring& check : checks) {
    const bool refers = co_await AnyRefers(session, check, partition);
    if (refers) co_return TriggersDoNotFire(check, partition);
  }
  co_return "";
}

Task<std::string> TriggerReferrers::WhySlow(Session& session, pg::Oid parent) const {
  std::vector<Referring> all = co_await Read(session, kChecks, parent);
  const std::vector<Referring> keys = co_await Read(session, kForeignKeys, parent);
  all.insert(all.end(), keys.begin(), keys.end());
  std::string why;
  for (const Referring& by : all) {
    const std::string index = MissingIndex(by);
    why += fmt::format(" Under the lock it is asked whether rows of {} refer to the partition{}{}.",
                       by.table, index.empty() ? "" : "; ", index);
  }
  co_return why;
}

}  // namespace pgalter::partition
