#pragma once

// What does not follow a column that is replaced: noted down while the old one is there, made again
// when the new one has its name. Both are run in one transaction; what is carried is what is there
// then, whatever the plan knew. Private to planner/plan.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/plan/recipe.h"

namespace pgalter::plan {

struct Carried {
  std::string note;
  std::string apply;
};

// Default, name of NOT NULL, comment, rights, statistics, options, owned sequence, extended
// statistics; and of its indexes and constraints comments, options, statistics, what they depend on
// of extensions, CLUSTER ON, REPLICA IDENTITY.
[[nodiscard]] Carried CarryOver(const sql::QualifiedName& table, const std::string& column);

// Of CHECKs that are taken off and put on again; the table's and those below it. At least one.
[[nodiscard]] Carried CarryCheckComments(const sql::QualifiedName& table,
                                         const std::vector<std::string>& checks);

// Where the column is an identity. Its sequence goes with it, whatever is done: the new one has its
// name, owner, rights and comment, and goes on where it was. `note` locks the old one, so that no
// number is given twice; who waits for that lock gets an error, as from a sequence that is dropped.
[[nodiscard]] Carried CarryIdentity(const sql::QualifiedName& table, const std::string& column);

// The views that read the column, and the views on these, each after what it reads, with all that
// hangs on them.
[[nodiscard]] Carried CarryViews(const std::vector<sql::QualifiedName>& views);
// As SQL: an array of the type oid[].
[[nodiscard]] std::string OidsOf(const std::vector<sql::QualifiedName>& relations);

// Policies that read the column, and triggers that name it, with all that is said of them.
struct CarriedAway {
  std::string note;
  std::string drop;
  std::string apply;
};
[[nodiscard]] CarriedAway CarryReaders(const sql::QualifiedName& table, const std::string& column);

// What the server wants gone before it changes a column's type.
struct InTheWay {
  std::vector<sql::QualifiedName> views;  // each after what it reads
  bool readers = false;                   // policies or triggers
  bool matviews = false;                  // which are made anew over a copy of the table
  bool partition_key = false;             // a copy has one of the new type
};
// None where something is that cannot be put back: a generated column, a rule, a partition key
// whose bounds may read otherwise in the new type, a materialized view that is not made anew.
[[nodiscard]] std::optional<InTheWay> FindInTheWay(const Situation& situation);
// Of what the server says of a column that it does not alter.
[[nodiscard]] bool IsOfPartitionKey(std::string_view detail);
// DROP VIEW, the last first.
[[nodiscard]] std::string DropViews(std::vector<sql::QualifiedName> views);

}  // namespace pgalter::plan
