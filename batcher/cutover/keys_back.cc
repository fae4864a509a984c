#include "batcher/cutover/keys_back.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgalter::cutover {

using rebuild::GoingKey;

namespace {

constexpr std::string_view kAdd = " ADD CONSTRAINT ";

// What is table $1 now, where a rebuild has put another one in its place, or a conversion by
// attaching has made it a partition of one.
constexpr const char* kByOid = R"sql(
WITH RECURSIVE now (oid, turn) AS (
  SELECT $1::oid, 0
  UNION ALL
  SELECT later.oid, now.turn + 1 FROM now CROSS JOIN LATERAL (
    SELECT b.shadow AS oid FROM pgalter.rebuild b
    WHERE b.source = now.oid AND b.swapped_at IS NOT NULL
    UNION ALL
    SELECT i.inhparent FROM pgalter.run r JOIN pg_inherits i ON i.inhrelid = r.relid
    WHERE r.relid = now.oid AND r.command = 'partition convert'
      AND r.state NOT IN ('aborted', 'reverted')) later
  WHERE now.turn < 100)
SELECT c.oid, format('%I.%I', n.nspname, c.relname)
FROM now JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
ORDER BY now.turn DESC LIMIT 1
)sql";

constexpr const char* kByName = R"sql(
SELECT c.oid, format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p')
)sql";

// Table $1 first, whether it is partitioned, and the partitions of it that hold rows.
constexpr const char* kPlaces = R"sql(
SELECT format('%I.%I', n.nspname, c.relname), c.relkind = 'p'
FROM (SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1) WHERE isleaf) p (oid)
CROSS JOIN LATERAL (SELECT * FROM pg_class WHERE oid = p.oid OFFSET 0) c
JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY c.oid <> $1, c.oid
)sql";

// Those of partitions go with that of their table.
constexpr const char* kTriggersOf = R"sql(
SELECT format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)
FROM pg_depend d JOIN pg_trigger t ON t.oid = d.objid
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = to_regprocedure($1)
  AND d.classid = 'pg_trigger'::regclass AND t.tgparentid = 0
ORDER BY c.oid, t.tgname
)sql";

// $1 a table, $2 a key's name (both quoted): keys of that name on partitions which the table has
// not adopted.
constexpr const char* kUnadopted = R"sql(
WITH RECURSIVE tree (oid) AS (
  SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass($1)
  UNION ALL SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, f.conname)
FROM tree t JOIN pg_constraint f ON f.conrelid = t.oid JOIN pg_class c ON c.oid = t.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0 AND quote_ident(f.conname) = $2 ORDER BY c.oid
)sql";

constexpr std::string_view kDropKeyOf = "ALTER TABLE IF EXISTS ";
constexpr std::string_view kDropKey = " DROP CONSTRAINT IF EXISTS ";
constexpr std::string_view kDropTrigger = "DROP TRIGGER IF EXISTS ";
constexpr std::string_view kDropFunction = "DROP FUNCTION IF EXISTS ";

struct Place {
  pg::Oid oid = 0;   // 0: it is gone
  std::string name;  // quoted, with its schema
};

Task<Place> FindPlace(Session& session, const GoingKey& key) {
  pg::Result row;
  if (key.relid != 0)
    row = co_await session.db().Query(kByOid, key.relid);
  else
    row = co_await session.db().Query(kByName, key.table);
  Place place;
  if (!row.empty()) place = {row.Get<pg::Oid>(0, 0), row.Get<std::string>(0, 1)};
  co_return place;
}

bool IsNotValid(const std::string& add) { return add.ends_with(" NOT VALID"); }

// "ALTER TABLE t ADD CONSTRAINT k …" of another table.
std::string On(const std::string& table, const std::string& add) {
  return fmt::format("ALTER TABLE {}{}", table, add.substr(add.find(kAdd)));
}

// "ALTER TABLE t ADD CONSTRAINT k …": k.
std::string NameOf(const std::string& add) {
  const std::size_t at = add.find(kAdd);
  const std::size_t end = add.find(" FOREIGN KEY", at);
  return add.substr(at + kAdd.size(), end - at - kAdd.size());
}

std::string ValidateOf(const std::string& add) {
  return fmt::format("{} VALIDATE CONSTRAINT {}", add.substr(0, add.find(kAdd)), NameOf(add));
}

std::string CommentOn(const std::string& table, const GoingKey& key) {
  const std::string constraint = fmt::format("COMMENT ON CONSTRAINT {} ON ", NameOf(key.add));
  return constraint + table + key.comment.substr(constraint.size() + key.table.size());
}

void AddBack(const std::string& add, KeysBack& back) {
  back.after.push_back(IsNotValid(add) ? add : add + " NOT VALID");
  if (!IsNotValid(add)) back.validate.push_back(ValidateOf(add));
}

// A partitioned table takes no key NOT VALID before PostgreSQL 18: its partitions do.
Task<> AddOthers(Session& session, const GoingKey& key, KeysBack& back) {
  const Place place = co_await FindPlace(session, key);
  if (place.oid == 0) co_return;
  const pg::Result places = co_await session.db().Query(kPlaces, place.oid);
  bool adopts = false;
  for (int i = 0; i < places.rows(); ++i) {
    if (IsNotValid(key.add) && i > 0) break;
    std::string add = On(places.Get<std::string>(i, 0), key.add);
    if (places.Get<bool>(i, 1) && !IsNotValid(key.add)) {
      back.adopt.push_back(std::move(add));
      adopts = true;
    } else {
      AddBack(add, back);
    }
  }
  if (key.comment.empty()) co_return;
  (adopts ? back.adopt : back.after).push_back(CommentOn(place.name, key));
}

bool Has(const std::vector<std::string>& texts, const std::string& text) {
  return std::ranges::find(texts, text) != texts.end();
}

// "ALTER TABLE IF EXISTS t DROP CONSTRAINT IF EXISTS k"
Task<> AddUnadopted(Session& session, std::string sql, std::vector<std::string>& drops) {
  const std::size_t at = sql.find(kDropKey);
  if (!sql.starts_with(kDropKeyOf) || at == std::string::npos) co_return;
  const std::string table = sql.substr(kDropKeyOf.size(), at - kDropKeyOf.size());
  const pg::Result rows =
      co_await session.db().Query(kUnadopted, table, sql.substr(at + kDropKey.size()));
  for (int i = 0; i < rows.rows(); ++i) drops.push_back(rows.Get<std::string>(i, 0));
}

}  // namespace

Task<KeysBack> ReadKeysBack(Session& session, const std::vector<GoingKey>& keys, std::string own) {
  KeysBack back;
  for (const GoingKey& key : keys) {
    if (key.table != own) {
      co_await AddOthers(session, key, back);
      continue;
    }
    AddBack(key.add, back);
    if (!key.comment.empty()) back.after.push_back(key.comment);
  }
  co_return back;
}

Task<std::string> SayLost(Session& session, const std::vector<GoingKey>& keys, std::string own) {
  std::string lost;
  for (const GoingKey& key : keys) {
    if (key.table == own) continue;
    const Place place = co_await FindPlace(session, key);
    if (place.oid != 0) continue;
    lost += fmt::format("{}foreign key {} of {} is not added again: the table is gone",
                        lost.empty() ? "" : "; ", NameOf(key.add), key.table);
  }
  co_return lost;
}

Task<> JoinFormer(Session& session, const std::vector<GoingKey>& keys, std::string own,
                  Joined& joined) {
  for (const GoingKey& key : keys) {
    if (key.table == own) continue;
    Place place = co_await FindPlace(session, key);
    if (place.oid != 0 && !Has(joined.referencing, place.name) &&
        !Has(joined.referenced, place.name))
      joined.referencing.push_back(std::move(place.name));
  }
}

Task<std::vector<std::string>> DropsNow(Session& session, std::vector<std::string> drop) {
  std::vector<std::string> now;
  for (std::string& sql : drop) {
    // Another table may have the name by now, and a trigger of its own of that name.
    if (sql.starts_with(kDropTrigger)) continue;
    if (sql.starts_with(kDropFunction)) {
      const pg::Result triggers =
          co_await session.db().Query(kTriggersOf, sql.substr(kDropFunction.size()));
      for (int i = 0; i < triggers.rows(); ++i) now.push_back(triggers.Get<std::string>(i, 0));
    }
    co_await AddUnadopted(session, sql, now);
    now.push_back(std::move(sql));
  }
  co_return now;
}

}  // namespace pgalter::cutover
