// Definition: the partitioned form of a plain table, as statements of a definition file of a
// rebuild. For tables whose rows have to be parted, not attached.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/given.h"
#include "batcher/partition/moment.h"
#include "batcher/partition/subdivision.h"

namespace pgalter::partition {

struct ListPart {
  std::string name;  // the end of the partition's name
  Givens values;
};

// As the user gave it. One of: a range with `every`, a range with `cuts`, a list with `lists`, a
// hash with `modulus`.
enum class By { kRange, kList, kHash };
struct Division {
  By by = By::kRange;
  std::string column;
  std::string every;
  Givens cuts;                 // as Cuts has them
  Epoch epoch = Epoch::kNone;  // of a range of integers
  std::string time_zone = "UTC";
  int premake = 4;
  // Of a range: where the first begins and the last ends, as Extent and Cuts have it.
  std::optional<Given> from;
  std::optional<Given> to;
  // Not of a hash, which holds everything, nor of cuts without ends and of a column that is NOT
  // NULL, where nothing would be left for it; `default_asked`: the user says that there be one.
  bool with_default = true;
  bool default_asked = false;
  std::vector<ListPart> lists;
  int modulus = 0;
  // How each part but the default one is parted again; one of: a list, a hash.
  Subdivision then;
  std::string then_column;         // not quoted
  bool allow_weaker_keys = false;  // others than the primary key
  // Of the primary key to come, in their order, not quoted; none: see primary_key.h.
  std::vector<std::string> primary_key;
};

// Those that unique keys have to hold, not quoted.
std::vector<std::string> PartColumns(const Division& division);

// Pure.
Subdivision ByHash(const std::string& column, int modulus);
Subdivision ByList(const std::string& column, const std::vector<ListPart>& lists);

struct DefinedPart {
  std::string name;     // quoted, with its schema
  std::string relname;  // quoted, without
  std::string bound;
};

struct Definition {
  std::string script;
  std::string by;                       // "RANGE (made)"
  std::string then;                     // "HASH (id)": how each is parted again; empty: it is not
  std::vector<DefinedPart> partitions;  // without what these are parted into
  std::vector<std::string> remarks;
};

// Reads the table; writes nothing. Throws run::Failure: also for rows that would have no place.
Task<Definition> DefinitionOf(Session& session, std::string table, Division division);

}  // namespace pgalter::partition
