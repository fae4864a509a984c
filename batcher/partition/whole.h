// Whole: a partitioned table as it is, whoever made it: by what it is parted, and its partitions in
// the order of their bounds. Reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "batcher/partition/given.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

enum class Strategy { kRange, kList, kHash };

// Of two keys, in the order of PostgreSQL's strategies of a btree.
enum class Relation { kLess, kAtMost, kEqual, kAtLeast, kMore };

struct Whole {
  backfill::Table table;
  std::string home;  // its schema, quoted
  Strategy strategy = Strategy::kRange;
  std::string column;     // quoted; empty: an expression, or several columns
  std::string type;       // of the column, as SQL
  std::string collation;  // ' COLLATE pg_catalog."C"', by which keys are compared; of most types
                          // empty
  std::string key;        // the column as it stands in conditions: with the collation where that
                          // is not its own
  bool is_partition = false;  // itself, of another
  std::string rest;           // the default partition, quoted, with its schema; empty: none
  // As the server compares the table's keys, by Relation: "<", or "OPERATOR(public.<)" of a type
  // whose operators no search_path of ours finds.
  std::vector<std::string> operators{"<", "<=", "=", ">=", ">"};

  [[nodiscard]] const std::string& Op(Relation relation) const {
    return operators.at(static_cast<std::size_t>(relation));
  }
  // The expression as a key, which compares as the server compares the table's.
  [[nodiscard]] std::string AsKey(const std::string& expression) const {
    return expression + "::" + type + collation;
  }
};

// By the operator class; none: those of its name.
Task<> ReadOperators(Session& session, pg::Oid operator_class, Whole& whole);

// A partition right below it.
struct Member {
  pg::Oid oid = 0;
  std::string name;     // quoted, with its schema
  std::string relname;  // not quoted
  std::string bound;    // "FOR VALUES FROM (…) TO (…)", "DEFAULT"
  bool is_range = false;
  // Of a range of one column: the values as text; nullopt: MINVALUE, MAXVALUE.
  std::optional<std::string> from;
  std::optional<std::string> to;
  // Keys before it are in no range (bound_order.h).
  bool after_gap = false;
  // Of any range where it begins and ends, one value for each column; of a list what it holds.
  Givens first;
  Givens last;
  Givens values;
  // Where the ends lie on a scale of seconds (of uuids: of version 7) or numbers; nullopt: endless,
  // or no such type.
  std::optional<double> begin;
  std::optional<double> end;
  bool is_default = false;
  bool divided = false;  // partitioned itself
  bool foreign = false;
  bool pending = false;  // DETACH CONCURRENTLY was begun and not ended
  double rows = 0;       // estimate, with all below it
  // False: it has rows, most likely, and was not analyzed since: nothing is known of how many.
  bool counted = true;
  std::int64_t bytes = 0;
};

// Any relation by the user's text, whosever it is: a role that may only look does, and one that
// changes it is asked for its rights later. Throws run::Failure (usage): there is none.
Task<backfill::Table> FindAnybodys(Session& session, std::string text);

// Throws run::Failure (unsupported): the role does not own it, as who changes its partitions has
// to. Asked first: an owner needs no rights besides, and who is none need not hear of them.
Task<> RefuseStranger(Session& session, pg::Oid table);
// By the user's text, of a role that is to change it. Throws run::Failure: the same, and as
// backfill::FindTable, in which `tried` is told.
Task<backfill::Table> FindOwned(Session& session, std::string text, std::string tried);

// Why the role cannot read it, with the GRANT; empty: it can.
Task<std::string> MissingSelect(Session& session, std::string table);

// By the user's text. Throws run::Failure (usage): unknown, no table, not partitioned. Bounds are
// read in UTC from here on.
Task<Whole> FindWhole(Session& session, std::string table);

// The default partition comes last.
Task<std::vector<Member>> ReadMembers(Session& session, const Whole& whole);

// A partition by the user's text, with the whole that it belongs to. Throws run::Failure (usage).
struct FoundMember {
  Whole whole;
  std::vector<Member> members;
  Member member;
};
Task<FoundMember> FindMember(Session& session, std::string partition);

// "RANGE (made)"
Task<std::string> PartitionKeyOf(Session& session, const Whole& whole);

}  // namespace pgalter::partition
