// Target: the table of a backfill as the server knows it now, and what the user's expressions mean
// there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/backfill/spec.h"
#include "batcher/backfill/stripe_policy.h"
#include "batcher/backfill/window_set.h"
#include "batcher/backfill/work_policy.h"
#include "engine/guard/session.h"

namespace pgalter::backfill {

using async::Task;
using guard::Session;

struct Table {
  pg::Oid oid = 0;
  std::string name;     // quoted, with its schema
  std::string relname;  // not quoted
  bool partitioned = false;
  bool inherited = false;  // has children that are no partitions
  bool owned = false;      // by a role that ours is a member of: a trigger needs that
};

// The relation by the user's text, under the role's search_path, whatever it is and whoever's.
// Throws run::Failure (usage): there is none.
Task<pg::Oid> FindOid(Session& session, const Spec& spec);

// Why a relation of this pg_class.relkind is no plain or partitioned table, with the way out where
// there is one; empty: it is.
std::string WhyNoTable(char relkind);

// The table by the user's text, under the role's search_path. Throws run::Failure: unknown
// (usage), no plain or partitioned table, or no right to update it. `tried`: what it is wanted for,
// of which the refusal speaks.
Task<Table> FindTable(Session& session, const Spec& spec, std::string tried = "backfill");
// The same table later, whatever its name is then.
Task<Table> FindTableByOid(Session& session, pg::Oid oid, std::string tried = "backfill");

struct Resolved {
  std::vector<Column> columns;
  std::string where;
  ExpressionNature nature;
  bool has_subquery = false;
  bool calls_user_functions = false;
  std::vector<std::string> volatile_functions;
};

enum class Resolving {
  kQualified,  // through a temporary view: every name written out with its schema
  kAsWritten,  // only checked: for a read-only session
};

// Checks the expressions (types, generated columns, partition keys) and writes them out. Throws
// run::Failure.
Task<Resolved> Resolve(Session& session, const Table& table, const Spec& spec, Resolving how);

// From a run's spec: what an earlier Resolve has settled.
Task<Resolved> Recall(Session& session, const Table& table, const Spec& spec);

struct Leaf {
  pg::Oid oid = 0;
  Relation relation;
  pg::Oid filenode = 0;
  Block blocks = 0;
  double rows = 0;  // estimate
  TableShape shape;
};

// Their rows would be passed over, and all be called done. Throws run::Failure (refused).
Task<> RefuseForeignPartitions(Session& session, pg::Oid table);

// The relations that hold the rows: the table itself, its partitions, its inheritance children.
// Throws as RefuseForeignPartitions.
Task<std::vector<Leaf>> FindLeaves(Session& session, pg::Oid table, const Spec& spec);
// One of them again; nullopt when it is gone.
Task<std::optional<Leaf>> FindLeaf(Session& session, pg::Oid leaf, pg::Oid table, const Spec& spec);

// The user triggers that every updated row fires.
Task<std::vector<std::string>> FiringTriggers(Session& session, pg::Oid table);

}  // namespace pgalter::backfill
