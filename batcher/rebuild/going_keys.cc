#include "batcher/rebuild/going_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "engine/state/json_texts.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

namespace json = boost::json;
using state::ArrayOf;
using state::Text;
using state::TextsOf;

// Keys of others, and the table's own to itself, by what depends on it, as pg_constraint has no
// index for them. $1 the table, $2 the new one.
constexpr const char* kUnkeyed = R"sql(
SELECT r.name, quote_ident(f.conname), n.names,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', r.name, f.conname, pg_get_constraintdef(f.oid)),
       EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = $2)
FROM (SELECT DISTINCT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
        AND refclassid = 'pg_class'::regclass AND refobjid = $1) d
JOIN pg_constraint f ON f.oid = d.objid
CROSS JOIN LATERAL (
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) AS names FROM pg_attribute
  WHERE attrelid = f.confrelid AND attnum = ANY (f.confkey)) n
CROSS JOIN LATERAL (
  SELECT format('%I.%I', h.nspname, c.relname) AS name FROM pg_class c
  JOIN pg_namespace h ON h.oid = c.relnamespace WHERE c.oid = f.conrelid) r
WHERE f.contype = 'f' AND f.confrelid = $1 AND f.conparentid = 0 AND NOT EXISTS (
  SELECT FROM pg_index x WHERE x.indrelid = $2 AND x.indisunique AND x.indimmediate
    AND x.indpred IS NULL AND x.indexprs IS NULL
    AND (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)
         FROM unnest(x.indkey[0:x.indnkeyatts - 1]) k JOIN pg_attribute a
         ON a.attrelid = x.indrelid AND a.attnum = k) = n.names)
ORDER BY 1, 2
)sql";

struct Unkeyed {
  std::string table;
  std::string name;
  std::string columns;  // referred to
  std::string add;
  bool to_partitions = false;
};

Task<std::vector<Unkeyed>> FindUnkeyed(Session& session, pg::Oid source, pg::Oid shadow) {
  const pg::Result rows = co_await session.db().Query(kUnkeyed, source, shadow);
  std::vector<Unkeyed> all;
  for (int i = 0; i < rows.rows(); ++i)
    all.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1),
                   rows.Get<std::string>(i, 2), rows.Get<std::string>(i, 3), rows.Get<bool>(i, 4)});
  co_return all;
}

bool Goes(const GoingKeys& going, const std::string& add) {
  return std::ranges::find(going.keys, add, &GoingKey::add) != going.keys.end();
}

}  // namespace

json::object ToJson(const GoingKeys& going) {
  json::array keys;
  for (const GoingKey& key : going.keys)
    keys.push_back({{"table", key.table},
                    {"add", key.add},
                    {"comment", key.comment},
                    {"relid", static_cast<std::int64_t>(key.relid)}});
  return {{"keys", std::move(keys)}, {"make", ArrayOf(going.make)}, {"drop", ArrayOf(going.drop)}};
}

GoingKeys GoingKeysFromJson(const json::object& json) {
  GoingKeys going;
  for (const json::value& value : json.at("keys").as_array()) {
    const json::object& key = value.as_object();
    going.keys.push_back({Text(key, "table"), Text(key, "add"), Text(key, "comment")});
    if (const auto* relid = key.if_contains("relid"))
      going.keys.back().relid = relid->to_number<pg::Oid>();
  }
  going.make = TextsOf(json.at("make"));
  going.drop = TextsOf(json.at("drop"));
  return going;
}

std::vector<std::string> AddsOf(const GoingKeys& going) {
  std::vector<std::string> adds;
  for (const GoingKey& key : going.keys) adds.push_back(key.add);
  return adds;
}

Task<> RefuseUnkeyed(Session& session, const std::string& table, pg::Oid source, pg::Oid shadow,
                     const GoingKeys& going) {
  for (const Unkeyed& key : co_await FindUnkeyed(session, source, shadow)) {
    if (Goes(going, key.add)) continue;
    throw Failure(
        ExitCode::kRefused,
        fmt::format("cannot rebuild {}: foreign key {} of {} refers to ({}), over which the new "
                    "definition has no unique key: drop it before, since it cannot be added "
                    "again{}",
                    table, key.name, key.table, key.columns,
                    key.to_partitions ? "; or have triggers check what it did, with pgalter "
                                        "partition convert --inbound-fk trigger"
                                      : ""));
  }
}

Task<> RefuseOtherKeys(Session& session, const std::string& table, pg::Oid source, pg::Oid shadow,
                       const GoingKeys& going, const std::string& again) {
  if (!async::SafeguardOn("going-keys")) co_return;
  const std::vector<Unkeyed> now = co_await FindUnkeyed(session, source, shadow);
  std::string why;
  for (const Unkeyed& key : now)
    if (!Goes(going, key.add))
      why = fmt::format(
          "foreign key {} of {} has come meanwhile, or was altered, and refers to "
          "({}), over which the new table has no unique key: drop it, or take that "
          "back",
          key.name, key.table, key.columns);
  for (const GoingKey& key : going.keys)
    if (why.empty() && std::ranges::find(now, key.add, &Unkeyed::add) == now.end())
      why = fmt::format("a foreign key of {} that was there at the beginning is gone: {}",
                        key.table, key.add);
  if (why.empty()) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("the foreign keys that refer to {} are not those of the beginning: {}. "
                            "Nothing was changed by this step. Then: {}",
                            table, why, again));
}

}  // namespace pgalter::rebuild
