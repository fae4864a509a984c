#include "batcher/verify/walk.h"

#include <algorithm>
#include <utility>

namespace pgalter::verify {

using capture::Flow;
using capture::KeyColumn;
using capture::Walk;

namespace {

// Ranges are told by the order that PostgreSQL's own types have. A name of another schema has a
// point in it.
bool HasOwnOrder(const KeyColumn& column) {
  return column.equals == "OPERATOR(pg_catalog.=)" && column.type.find('.') == std::string::npos;
}

// Which column of the key each column of the index is; nullopt: one of them is none.
std::optional<std::vector<std::size_t>> InKey(const Flow& flow, const WalkIndex& index) {
  std::vector<std::size_t> numbers;
  for (const IndexColumn& column : index.columns) {
    const auto found = std::ranges::find_if(flow.key, [&](const KeyColumn& key) {
      return (index.of_to ? key.to : key.from) == column.name && HasOwnOrder(key);
    });
    if (found == flow.key.end()) return std::nullopt;
    numbers.push_back(static_cast<std::size_t>(found - flow.key.begin()));
  }
  return numbers;
}

bool BeginsWith(const Flow& flow, const WalkIndex& other, const WalkIndex& index,
                const std::vector<std::size_t>& numbers) {
  if (other.columns.size() < numbers.size()) return false;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const KeyColumn& key = flow.key[numbers[i]];
    if (other.columns[i].name != (other.of_to ? key.to : key.from) ||
        other.columns[i].collation != index.columns[i].collation)
      return false;
  }
  return true;
}

constexpr const char* kIndexes = R"sql(
SELECT x.indexrelid::int8, x.indrelid = $2, x.indisunique AND x.indimmediate,
       coalesce(quote_ident(a.attname), ''), coalesce(a.attcollation, 0)::oid,
       coalesce(a.attnotnull AND x.indoption[k.n - 1] = 0 AND o.opcdefault
                AND x.indcollation[k.n - 1] = a.attcollation, false)
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
CROSS JOIN LATERAL unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY k (attnum, n)
JOIN pg_opclass o ON o.oid = x.indclass[k.n - 1]
LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE x.indrelid IN ($1, $2) AND x.indisvalid AND x.indpred IS NULL
ORDER BY x.indrelid = $2, x.indisprimary DESC, x.indnkeyatts, x.indexrelid, k.n
)sql";

constexpr const char* kInOrder = R"sql(
SELECT count(*) = 2 AND min(abs(s.correlation)) > 0.9
FROM (VALUES ($1::oid, $2::text), ($3::oid, $4::text)) w (relid, name)
JOIN pg_class c ON c.oid = w.relid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
  AND quote_ident(s.attname) = w.name AND s.inherited = (c.relkind = 'p')
)sql";

}  // namespace

std::optional<Walk> ChooseWalk(const Flow& flow, const std::vector<WalkIndex>& indexes) {
  for (const WalkIndex& index : indexes) {
    if (!index.unique) continue;
    const auto numbers = InKey(flow, index);
    if (!numbers) continue;
    const bool both = std::ranges::any_of(indexes, [&](const WalkIndex& other) {
      return other.of_to != index.of_to && BeginsWith(flow, other, index, *numbers);
    });
    if (both) return Walk{*numbers, index.of_to};
  }
  return std::nullopt;
}

Task<Ways> ReadWays(Session& session, const Flow& flow) {
  const pg::Result rows = co_await session.db().Query(kIndexes, flow.from_oid, flow.to_oid);
  std::vector<WalkIndex> indexes;
  std::int64_t last = 0;
  bool open = false;  // whether all columns so far can be walked
  for (int i = 0; i < rows.rows(); ++i) {
    const auto oid = rows.Get<std::int64_t>(i, 0);
    if (oid != last) {
      WalkIndex index;
      index.of_to = rows.Get<bool>(i, 1);
      // Of several tables each has its own, and only that of `to` is over all of them.
      index.unique = rows.Get<bool>(i, 2) && (index.of_to || flow.also.empty());
      index.first = rows.Get<std::string>(i, 3);
      indexes.push_back(std::move(index));
      last = oid;
      open = true;
    }
    open = open && rows.Get<bool>(i, 5);
    if (open)
      indexes.back().columns.push_back({rows.Get<std::string>(i, 3), rows.Get<pg::Oid>(i, 4)});
    else
      indexes.back().unique = false;
  }
  const bool any = std::ranges::any_of(indexes, [&flow](const WalkIndex& index) {
    return index.of_to && std::ranges::any_of(flow.key, [&index](const KeyColumn& key) {
             return key.to == index.first;
           });
  });
  Ways ways;
  ways.walk = ChooseWalk(flow, indexes);
  if (ways.walk) {
    const KeyColumn& first = flow.key[ways.walk->columns.front()];
    const pg::Result order =
        co_await session.db().Query(kInOrder, flow.from_oid, first.from, flow.to_oid, first.to);
    ways.in_order = order.Get<std::optional<bool>>(0, 0).value_or(false);
  }
  ways.lookup = any ? capture::Lookup::kByIndex : capture::Lookup::kAsPlanned;
  co_return ways;
}

}  // namespace pgalter::verify
