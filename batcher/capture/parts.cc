#include "batcher/capture/parts.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "batcher/capture/flow_sql.h"
#include "engine/async/fail_point.h"

namespace pgalter::capture {

namespace {

// Not pg_partition_tree(): it reads the catalog of now, whatever the snapshot.
constexpr const char* kTree = R"sql(
WITH RECURSIVE tree (oid, relkind, relfilenode, depth, since) AS (
  SELECT oid, relkind, relfilenode, 0, '' FROM pg_class WHERE oid = ANY ($1::int8[]::oid[])
  UNION ALL
  SELECT c.oid, c.relkind, c.relfilenode, t.depth + 1, t.since || '/' || i.xmin
  FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid AND NOT i.inhdetachpending
  JOIN pg_class c ON c.oid = i.inhrelid
  WHERE t.relkind = 'p')
SELECT t.oid, format('%I.%I', n.nspname, c.relname), t.relfilenode, t.relkind = 'p', t.depth,
       t.since
FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY t.oid
)sql";

std::string Fingerprint(const Part& part) {
  return fmt::format("{}:{}:{}", part.oid, part.filenode, part.since);
}

pg::Statement StoreStatement(const Flow& flow, const std::vector<Part>& parts) {
  std::string text;
  for (const Part& part : parts) text += (text.empty() ? "" : " ") + Fingerprint(part);
  return {
      "UPDATE pgalter.flow SET spec = jsonb_set(spec, '{parts}', to_jsonb($3::text))"
      " WHERE run = $1 AND name = $2",
      pg::Params::Of(flow.run, flow.name, text)};
}

Task<> Store(Session& session, pg::Statement statement) {
  co_await session.db().QueryParams(std::move(statement.sql), std::move(statement.params),
                                    pg::Format::kText);
}

// Since they were remembered.
struct Changes {
  std::vector<Part> now;
  std::vector<Part> come;  // or rewritten
  std::vector<Part> unchanged;
  bool gone = false;  // some of those before

  [[nodiscard]] bool none() const { return come.empty() && !gone; }
};

Task<Changes> ReadChanges(Session& session, const Flow& flow) {
  pg::Result row;
  Changes changes;
  auto remembered = [&]() -> Task<> {
    row = co_await session.db().Query(
        "SELECT spec->>'parts' FROM pgalter.flow WHERE run = $1 AND name = $2", flow.run,
        flow.name);
  };
  auto now = [&]() -> Task<> { changes.now = co_await ReadSourceParts(session, flow); };
  std::vector<std::function<Task<>()>> asks{remembered, now};
  co_await session.db().Together(std::move(asks));
  if (row.IsNull(0, 0)) {  // of a plain table, by a runner that did not remember them
    changes.unchanged = changes.now;
    co_return changes;
  }
  std::set<std::string> before;
  std::istringstream words(row.Get<std::string>(0, 0));
  for (std::string word; words >> word;) before.insert(word);
  for (const Part& part : changes.now) {
    const bool known = before.erase(Fingerprint(part)) > 0;
    (known ? changes.unchanged : changes.come).push_back(part);
  }
  changes.gone = !before.empty();
  co_return changes;
}

}  // namespace

namespace {

Task<std::vector<Part>> ReadPartsOf(Session& session, std::vector<std::int64_t> tables) {
  const pg::Result rows = co_await session.db().Query(kTree, tables);
  std::vector<Part> parts;
  for (int i = 0; i < rows.rows(); ++i)
    if (!rows.Get<bool>(i, 3))
      parts.push_back({rows.Get<pg::Oid>(i, 0), rows.Get<std::string>(i, 1),
                       rows.Get<pg::Oid>(i, 2), rows.Get<std::string>(i, 5)});
  co_return parts;
}

}  // namespace

Task<std::vector<Part>> ReadParts(Session& session, pg::Oid table) {
  std::vector<std::int64_t> tables{table};
  co_return co_await ReadPartsOf(session, std::move(tables));
}

Task<std::vector<Part>> ReadSourceParts(Session& session, const Flow& flow) {
  co_return co_await ReadPartsOf(session, flow.source_oids());
}

Task<std::vector<std::string>> ReadPartitions(Session& session, pg::Oid table) {
  const std::vector<std::int64_t> tables{table};
  const pg::Result rows = co_await session.db().Query(kTree, tables);
  std::vector<std::string> names;
  for (int i = 0; i < rows.rows(); ++i)
    if (rows.Get<std::int32_t>(i, 4) > 0) names.push_back(rows.Get<std::string>(i, 1));
  co_return names;
}

Task<pg::Statement> RememberPartsStatement(Session& session, const Flow& flow) {
  const std::vector<Part> parts = co_await ReadSourceParts(session, flow);
  co_return StoreStatement(flow, parts);
}

Task<> RememberParts(Session& session, const Flow& flow) {
  pg::Statement statement = co_await RememberPartsStatement(session, flow);
  co_await Store(session, std::move(statement));
}

Task<std::vector<Part>> ReadUnchangedParts(Session& session, const Flow& flow) {
  const Changes changes = co_await ReadChanges(session, flow);
  co_return changes.unchanged;
}

Task<> FollowParts(Session& session, const Flow& flow) {
  if (!async::SafeguardOn("parts")) co_return;
  const Changes changes = co_await ReadChanges(session, flow);
  if (changes.none()) co_return;
  if (changes.gone) co_await session.db().Query(ReconcileStatement(flow));
  for (const Part& part : changes.come)
    co_await session.db().Query(AllDirtyStatement(flow, part.name));
  co_await Store(session, StoreStatement(flow, changes.now));
}

Task<bool> HavePartsChanged(Session& session, const Flow& flow) {
  const Changes changes = co_await ReadChanges(session, flow);
  co_return !changes.none();
}

}  // namespace pgalter::capture
