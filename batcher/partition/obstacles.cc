#include "batcher/partition/obstacles.h"

#include <fmt/format.h>

#include "batcher/partition/repart.h"
#include "batcher/partition/retain.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "engine/state/artefacts.h"

namespace pgalter::partition {

namespace {

// Each with the way out. Before PostgreSQL 18 the copies of a foreign key for each partition of the
// table that it points at are not valid once the key was validated: the key counts. Keys to the
// whole are made again as they are (self_keys.h). $1 the whole,
// $2 the partitions, $3 names of triggers that may be there.
constexpr const char* kObstacles = R"sql(
SELECT goes.oid::regclass::text, o.why FROM unnest($2::oid[]) goes (oid) CROSS JOIN LATERAL (
SELECT format('it is partitioned itself: a rebuild parts all of it otherwise (pgalter rebuild %s '
              '--definition FILE)', $1::oid::regclass)
FROM pg_class WHERE oid = goes.oid AND relkind = 'p'
UNION ALL
SELECT 'it is a foreign table' FROM pg_class WHERE oid = goes.oid AND relkind = 'f'
UNION ALL
SELECT format('%s is a partition itself, of a table whose locks and indexes would be concerned, too: '
              'a rebuild of that parts it otherwise (pgalter rebuild %s --definition FILE)',
              oid::regclass, pg_partition_root(oid))
FROM pg_class WHERE oid = $1 AND relispartition
UNION ALL
SELECT 'it is half detached: pgalter partition detach ends that'
WHERE EXISTS (SELECT FROM pg_inherits WHERE inhrelid = goes.oid AND inhdetachpending)
UNION ALL
SELECT format('foreign key %I of %s refers to this partition alone: drop it before, and have it refer '
              'to the whole after', conname, conrelid::regclass)
FROM pg_constraint WHERE confrelid = goes.oid AND contype = 'f' AND conparentid = 0
UNION ALL
SELECT format('foreign key %I is of this partition alone: drop it before, and add it to the whole after',
              conname)
FROM pg_constraint WHERE conrelid = goes.oid AND contype = 'f' AND conparentid = 0 AND confrelid <> $1
UNION ALL
SELECT format('index %s is on this partition alone: make it on the whole, or drop it',
              x.indexrelid::regclass)
FROM pg_index x WHERE x.indrelid = goes.oid
  AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = x.indexrelid)
UNION ALL
SELECT format('index %s is not valid on all partitions: drop it, or finish it',
              x.indexrelid::regclass)
FROM pg_index x WHERE x.indrelid = $1 AND NOT x.indisvalid
UNION ALL
SELECT format('constraint %I is not valid: VALIDATE it first', conname)
FROM pg_constraint k WHERE conrelid = goes.oid AND contype IN ('c', 'f') AND NOT convalidated
  AND confrelid <> $1
  AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
UNION ALL
SELECT format('constraint %I excludes rows: such are not made anew here', conname)
FROM pg_constraint WHERE conrelid = $1 AND contype = 'x'
UNION ALL
SELECT format(CASE WHEN starts_with(tgname, 'pgalter_')
    THEN 'trigger %I is of a run that keeps a way back or copies the table: finish, revert or abort '
         'it first (pgalter ps names it)'
    ELSE 'trigger %I is on this partition alone: make it on the whole, or drop it' END, tgname)
FROM pg_trigger WHERE tgrelid = goes.oid AND NOT tgisinternal AND tgparentid = 0
  AND quote_ident(tgname) <> ALL ($3::text[])
UNION ALL
SELECT format('policy %I is on this partition alone: drop it before', polname)
FROM pg_policy WHERE polrelid = goes.oid
UNION ALL
SELECT format('%s is of this partition alone: drop it before, and make it again after',
              pg_describe_object('pg_statistic_ext'::regclass, oid, 0))
FROM pg_statistic_ext WHERE stxrelid = goes.oid
UNION ALL
SELECT format('column %I has rights of its own: grant them on the whole', attname)
FROM pg_attribute WHERE attrelid = goes.oid AND attacl IS NOT NULL
UNION ALL
SELECT DISTINCT format('%s uses the partition by its name: drop it before, and make it again after',
                       CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, 0)
                            ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END)
FROM pg_class c JOIN pg_depend d
  ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
  OR d.refclassid = 'pg_type'::regclass
     AND d.refobjid IN (c.reltype, (SELECT typarray FROM pg_type WHERE oid = c.reltype))
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
WHERE c.oid = goes.oid AND d.deptype = 'n'
  AND (r.oid IS NOT NULL OR d.classid IN ('pg_proc'::regclass, 'pg_policy'::regclass)
       OR d.refclassid = 'pg_type'::regclass)
  AND NOT (d.classid = 'pg_policy'::regclass
           AND EXISTS (SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = c.oid))
UNION ALL
SELECT format('publication %I publishes it by its own name: publish the whole', p.pubname)
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = goes.oid
UNION ALL
SELECT format('publication %I sends partitions under their own names, which subscribers do not '
              'know: ALTER PUBLICATION %I SET (publish_via_partition_root = true) first', p.pubname,
              p.pubname)
FROM pg_publication p WHERE NOT p.pubviaroot
  AND EXISTS (SELECT FROM pg_publication_tables t JOIN pg_class c ON c.oid = goes.oid
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname)
UNION ALL
SELECT format('subscription %s writes into it', s.srsubid)
FROM pg_subscription_rel s WHERE s.srrelid IN (goes.oid, $1)
UNION ALL
SELECT 'its replica identity is an index: ALTER TABLE ... REPLICA IDENTITY DEFAULT or FULL first'
FROM pg_class WHERE oid = goes.oid AND relreplident = 'i'
UNION ALL
SELECT format('it has a security label of provider %s', provider) FROM pg_seclabel
WHERE classoid = 'pg_class'::regclass AND objoid = goes.oid
) o (why) LIMIT 1
)sql";

constexpr const char* kTellsRowsApart = R"sql(
SELECT EXISTS (
  SELECT FROM pg_index x WHERE x.indrelid = $1 AND x.indisunique AND x.indimmediate
    AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
    AND NOT EXISTS (SELECT FROM unnest(x.indkey[0:x.indnkeyatts - 1]) k
                    JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k
                    WHERE NOT a.attnotnull))
)sql";

}  // namespace

Task<bool> TellsRowsApart(Session& session, pg::Oid whole) {
  const pg::Result row = co_await session.db().Query(kTellsRowsApart, whole);
  co_return row.Get<bool>(0, 0);
}

Task<std::optional<Obstacle>> FindObstacle(Session& session, pg::Oid whole,
                                           std::vector<pg::Oid> partitions,
                                           std::vector<std::string> ours, Moving moving) {
  std::vector<std::string> oids;
  for (const pg::Oid oid : partitions) oids.push_back(std::to_string(oid));
  const pg::Result rows = co_await session.db().Query(kObstacles, whole, oids, ours);
  if (rows.empty()) {
    if (moving == Moving::kUnderLock) co_return std::nullopt;
    const bool apart = co_await TellsRowsApart(session, whole);
    if (apart) co_return std::nullopt;
    const pg::Result name = co_await session.db().Query("SELECT $1::oid::regclass::text", whole);
    Obstacle obstacle;
    obstacle.partition = name.Get<std::string>(0, 0);
    obstacle.why =
        "no unique index over NOT NULL columns tells its rows apart: add a primary key to the "
        "whole";
    co_return obstacle;
  }
  co_return Obstacle{rows.Get<std::string>(0, 0), rows.Get<std::string>(0, 1)};
}

Task<std::optional<Obstacle>> FindHold(Session& session, std::string whole,
                                       std::vector<pg::Oid> partitions) {
  for (const pg::Oid partition : partitions) {
    const pg::Result row = co_await session.db().Query(
        "SELECT format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class WHERE oid = $1",
        partition);
    if (row.empty()) continue;
    Obstacle obstacle;
    obstacle.partition = row.Get<std::string>(0, 0);
    const std::vector<std::int64_t> oids{partition};
    const std::vector<std::string> names{obstacle.partition};
    const std::string held = co_await FindLegalHold(session, oids, names);
    if (held.empty()) continue;
    obstacle.why = fmt::format(
        "its rows would go where nothing holds them ({}): hold the whole table instead, pgalter "
        "partition hold {} --reason …, then: pgalter partition release {}",
        held, whole, obstacle.partition);
    co_return obstacle;
  }
  co_return std::nullopt;
}

Task<> RefuseObstaclesNow(run::Environment& env, const RepartSpec& spec,
                          std::vector<std::string> partitions, Moving moving, const char* verb) {
  if (!async::SafeguardOn("obstacles-under-lock")) co_return;
  const pg::Result rows = co_await env.main.db().Query(
      "SELECT to_regclass(name)::oid FROM unnest($1::text[]) u (name)"
      " WHERE to_regclass(name) IS NOT NULL",
      partitions);
  std::vector<pg::Oid> oids;
  for (int i = 0; i < rows.rows(); ++i) oids.push_back(rows.Get<pg::Oid>(i, 0));
  std::vector<std::string> ours;
  for (const state::Artefact& artefact : co_await state::LiveArtefacts(env.main, env.run.id))
    if (artefact.kind == "trigger") ours.push_back(artefact.name);
  auto found = co_await FindObstacle(env.main, spec.parent_oid, oids, ours, moving);
  if (!found) found = co_await FindHold(env.main, spec.parent, std::move(oids));
  if (!found) co_return;
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format(
          "the partitions of {} are not exchanged, since somebody has changed {} meanwhile: "
          "{}. Nothing was changed. Then: pgalter {} {}",
          spec.parent, found->partition, found->why, verb, env.run.id));
}

}  // namespace pgalter::partition
