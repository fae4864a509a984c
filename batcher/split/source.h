// The table that is split, as far as the new one is made of it. Reads only; what a split cannot
// carry is refused here, by name, before anything is written.
#pragma once

#include <string>
#include <vector>

#include "batcher/split/wish.h"
#include "engine/guard/session.h"

namespace pgalter::split {

using async::Task;
using guard::Session;

// Names, types and expressions are SQL, written out with their schemas.
struct Column {
  std::string name;
  std::string type;
  std::string collation;  // " COLLATE …", where it is not the type's own
  std::string default_value;
  bool not_null = false;
  std::vector<std::string> settings;  // "SET STORAGE EXTERNAL"
  std::string comment;                // a literal; empty: none
  std::string equals;                 // of a key: OPERATOR(pg_catalog.=)
};

struct Index {
  std::string name;        // of the new one
  std::string definition;  // from USING on
  bool unique = false;
  bool is_constraint = false;
  std::vector<Column> columns;  // of a unique one: names, and what is equal in it
};

struct Check {
  std::string name;
  std::string definition;
};

struct Source {
  sql::QualifiedName name;
  sql::QualifiedName target;
  std::string owner;
  std::string tablespace;  // empty: the database's
  std::string access_method;
  bool unlogged = false;
  std::vector<Column> key;
  std::vector<Column> moved;
  std::vector<Index> indexes;  // over moved columns, or these and the key
  std::vector<Check> checks;
  std::vector<std::string> remarks;
  // The role's, where users' functions look that CHECKs, indexes and triggers of the tables call.
  std::string search_path;
};

// "name_pkey", cut like the server cuts it: never through the middle of a character.
std::string NameWith(std::string_view name, std::string_view suffix);

// Throws run::Failure.
Task<Source> ReadSource(Session& session, const Wish& wish);

}  // namespace pgalter::split
