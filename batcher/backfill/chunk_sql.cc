#include "batcher/backfill/chunk_sql.h"

#include <fmt/format.h>

#include "planner/sql/identifier.h"

namespace pgalter::backfill {

namespace {

constexpr const char* kRange = "ctid >= $1::pg_catalog.tid AND ctid < $2::pg_catalog.tid";

std::string SetClause(const std::vector<Column>& columns) {
  std::string set;
  for (const Column& column : columns)
    set += fmt::format("{}{} = {}", set.empty() ? "" : ", ", sql::QuoteIdentifier(column.name),
                       column.expression);
  return set;
}

// Which rows of a window one pass takes.
std::string InStripe(const Relation& relation, const Stripe& stripe) {
  if (stripe.first == 0 && stripe.end == kPositions) return "true";
  if (stripe.first == 0) return fmt::format("{} < {}", relation.position, stripe.end);
  if (stripe.end == kPositions) return fmt::format("{} >= {}", relation.position, stripe.first);
  if (stripe.end == stripe.first + 1)
    return fmt::format("{} = {}", relation.position, stripe.first);
  return fmt::format("{} BETWEEN {} AND {}", relation.position, stripe.first, stripe.end - 1);
}

// Inside CASE, so that the planner neither takes an index for it (a window is small, an index scan
// per chunk is not) nor asks it before the stripe, which is cheaper.
std::string Condition(const Relation& relation, const Work& work, const ChunkShape& shape) {
  return fmt::format("CASE WHEN {} THEN ({}) ELSE false END", InStripe(relation, shape.stripe),
                     work.needs);
}

std::string Counted(const std::string& update, const Work& work) {
  if (!work.must_become_false) return update;
  return fmt::format(
      "WITH u AS ({} RETURNING ({}) IS TRUE AS again)"
      " SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE again) FROM u",
      update, work.needs);
}

}  // namespace

std::string UpdateStatement(const Relation& relation, const std::vector<Column>& columns,
                            const Work& work, const ChunkShape& shape) {
  const std::string condition = Condition(relation, work, shape);
  const std::string head = fmt::format("UPDATE ONLY {} AS {} SET {} WHERE ", relation.name,
                                       relation.alias, SetClause(columns));
  if (shape.locks == RowLocks::kWait)
    return Counted(fmt::format("{} {} AND {}", head, kRange, condition), work);
  return Counted(fmt::format("{} ctid = ANY (ARRAY(SELECT ctid FROM ONLY {} AS {} WHERE {} AND {}"
                             " FOR NO KEY UPDATE SKIP LOCKED)) AND {}",
                             head, relation.name, relation.alias, kRange, condition, condition),
                 work);
}

std::string CountStatement(const Relation& relation, const Work& work, const ChunkShape& shape) {
  return fmt::format("SELECT pg_catalog.count(*) FROM ONLY {} AS {} WHERE {} AND {}", relation.name,
                     relation.alias, kRange, Condition(relation, work, shape));
}

std::string ScanStatement(const Relation& relation, const Work& work, int limit) {
  // The keys are made only where some are left out: they cost more than the condition.
  return fmt::format(
      "SELECT (ctid::text::point)[0]::bigint FROM ONLY {} AS {} WHERE {} AND"
      " CASE WHEN pg_catalog.cardinality($3::text[]) > 0 AND {} = ANY ($3::text[]) THEN false"
      " WHEN {} THEN true ELSE false END LIMIT {}",
      relation.name, relation.alias, kRange, relation.key, work.needs, limit);
}

std::string PlacesStatement(const Relation& relation, const ChunkShape& shape) {
  return fmt::format("SELECT ctid::text, {} FROM ONLY {} AS {} WHERE {} AND {}", relation.key,
                     relation.name, relation.alias, kRange, InStripe(relation, shape.stripe));
}

std::string UpdatePlacesStatement(const Relation& relation, const std::vector<Column>& columns,
                                  const Work& work) {
  return Counted(
      fmt::format("UPDATE ONLY {} AS {} SET {} WHERE ctid = ANY ($1::pg_catalog.tid[]) AND {}",
                  relation.name, relation.alias, SetClause(columns), work.needs),
      work);
}

std::string Tid(std::int64_t block) { return fmt::format("({},0)", block); }

}  // namespace pgalter::backfill
