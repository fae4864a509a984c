// Reference: a foreign key that refers to a table, of another one or its own, as what has to be
// known to keep its promise by other means. Reads only.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

struct Reference {
  struct Column {
    std::string child;   // quoted
    std::string parent;  // quoted
    // The key's own operators: "OPERATOR(pg_catalog.=)".
    std::string parent_child;
    std::string parent_parent;
    std::string child_child;
  };
  std::string child;  // quoted, with its schema
  std::string child_home;
  std::string child_relname;  // not quoted
  std::string child_owner;    // quoted
  bool child_partitioned = false;
  bool to_itself = false;  // the child is the parent
  std::string parent;      // quoted, with its schema
  std::string parent_relname;
  std::string parent_owner;
  std::string name;     // not quoted
  std::string comment;  // empty: it has none
  std::vector<Column> columns;
  bool match_full = false;
  // As in pg_constraint: a(ction: none), r(estrict), c(ascade), n(ull), d(efault).
  char on_delete = 'a';
  char on_update = 'a';
  std::vector<std::string> set_columns;  // of ON DELETE SET …: quoted; empty: all
  bool deferrable = false;
  bool deferred = false;
  bool valid = true;
  // Of a partitioned child the partitions that hold rows: quoted, with their schemas.
  std::vector<std::string> leaves;
  // The role's, as it is set: where functions of the child's triggers look for names.
  std::string search_path;
};

Task<Reference> ReadReference(Session& session, pg::Oid foreign_key);

// " ON DELETE CASCADE", " ON UPDATE SET NULL"; empty: no action.
std::string ActionText(const char* event, char action);

}  // namespace pgalter::partition
