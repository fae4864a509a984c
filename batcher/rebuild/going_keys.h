// Going keys: foreign keys, the table's own among them, that refer to a key which the new
// definition has no more. Without a word of theirs a rebuild is refused. Else they are dropped in
// the swap, what takes their place is made there, and a swap back has it the other way round.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::rebuild {

using async::Task;
using guard::Session;

struct GoingKey {
  std::string table;         // that has it: quoted, with its schema
  std::string add;           // "ALTER TABLE … ADD CONSTRAINT …", with NOT VALID if it is not
  std::string comment = {};  // "COMMENT ON CONSTRAINT …"; empty: it has none
  pg::Oid relid = 0;         // of the table; 0: a run of an older program does not say
};

struct GoingKeys {
  std::vector<GoingKey> keys;
  std::vector<std::string> make;  // in the swap, once the new table has the name
  std::vector<std::string> drop;  // in the swap back, first
  boost::json::array checks;      // of triggers that stand for them: partition/referrers.h reads it
};

boost::json::object ToJson(const GoingKeys& going);
GoingKeys GoingKeysFromJson(const boost::json::object& json);
std::vector<std::string> AddsOf(const GoingKeys& going);

// While the new table has its indexes. Throws run::Failure for a key that refers to none of its
// unique ones, and is none of `going`. `table`: the source's name.
Task<> RefuseUnkeyed(Session& session, const std::string& table, pg::Oid source, pg::Oid shadow,
                     const GoingKeys& going);

// Under the lock of the swap. Throws run::Failure: they are not those of the beginning. `again`:
// the command to go on with.
Task<> RefuseOtherKeys(Session& session, const std::string& table, pg::Oid source, pg::Oid shadow,
                       const GoingKeys& going, const std::string& again);

}  // namespace pgalter::rebuild
