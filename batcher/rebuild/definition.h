// Definition: indexes and constraints of the new table, as statements. The server says what they
// are: it was asked for them on an empty table of that definition.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "batcher/rebuild/names.h"
#include "batcher/rebuild/noted.h"
#include "batcher/rebuild/outline.h"
#include "engine/guard/session.h"

namespace pgalter::rebuild {

struct Index {
  std::string name;                  // quoted
  std::string table;                 // that it is on: quoted, with its schema
  std::string create;                // empty: the constraint makes it
  std::string constraint;            // ALTER TABLE … ADD CONSTRAINT …; empty: none
  std::vector<std::string> remarks;  // what follows: comments, CLUSTER ON
  bool key = false;                  // catch-up looks rows up by it
  bool helper = false;               // only for that: it goes before the swap
  std::string tablespace;            // not quoted; empty: the database's own
  std::string root;  // on a partition: the index of the partitioned table that it is a part of
};

struct Definition {
  // The key first. Those of partitions come before the one that they are parts of, which adopts
  // them when it is made.
  std::vector<Index> indexes;
  std::vector<std::string> checks;    // that are not valid, to be added in the swap
  std::vector<std::string> validate;  // after the swap
  std::vector<std::string> adopt;     // then, each once: foreign keys of a partitioned table
  // What these two are about, by statement: a constraint or a table.
  std::map<std::string, pg::Oid> settled_on;
  std::vector<std::string> sequences;  // first, when the table that left comes back
  std::vector<SameColumn> renamed;     // whose sequences and grants go on under the other name
  Outline outline;          // of the table that leaves at the next swap, as it must be then
  Noted noted;              // of the same, as it was
  bool revertible = false;  // there is a flow back
  // Partitions take the places of those of their names, with what these have of their own.
  bool alike = false;
};

boost::json::object ToJson(const Definition& definition);
Definition DefinitionFromJson(const boost::json::object& json);

// Makes it. Its tablespace is nowhere in the statements, and a key of a partitioned table cannot
// say it. In the caller's transaction.
Task<> MakeIndex(Session& session, const Index& index);
// The same in two: the index itself, and its constraint, where there is one, with its remarks.
Task<> CreateIndex(Session& session, const Index& index);
Task<> AddConstraint(Session& session, const Index& index);

// Indexes of a table, as they would be on `to` (names quoted, with schemas; `to_schema` is not
// quoted). Primary key first. Of several tables in their order, by one question.
struct IndexedTable {
  pg::Oid oid = 0;
  std::string name;
  std::string to;
};
Task<std::vector<Index>> ReadIndexes(Session& session, std::vector<IndexedTable> tables,
                                     std::string to_schema);
Task<std::vector<Index>> ReadIndexes(Session& session, pg::Oid from, std::string from_name,
                                     std::string to_name, std::string to_schema);

}  // namespace pgalter::rebuild
