// Where the indexes of a table lie, and what they are stored with: neither pg_get_indexdef nor
// pg_get_constraintdef says all of it. Reads only.
#pragma once

#include <map>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

struct IndexPlace {
  std::string storage;     // " WITH (fillfactor=60)", or empty
  std::string tablespace;  // " TABLESPACE fast", or empty
};

// By the index's name, quoted. Of a partitioned one: of its parts where they agree, else its own;
// with `part`, a leaf: of the part that is on it.
using IndexPlaces = std::map<std::string, IndexPlace>;
Task<IndexPlaces> PlacesOf(Session& session, pg::Oid table, pg::Oid part = 0);

// "CREATE INDEX …", as pg_get_indexdef says it, which has the storage parameters.
std::string PlaceIndex(const std::string& definition, const IndexPlace& place);
// "PRIMARY KEY (…)", as pg_get_constraintdef says it, which has none.
std::string PlaceKey(const std::string& definition, const IndexPlace& place);

}  // namespace pgalter::partition
