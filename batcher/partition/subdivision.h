// Subdivision: how a partition is partitioned itself, one level deep, so that another one can be
// made in the same way.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

struct SubPart {
  std::string end;          // of its name, after that of the partition: "_h0"
  std::string bound;        // "FOR VALUES WITH (MODULUS 4, REMAINDER 0)"
  std::string storage;      // " WITH (fillfactor=70)", or empty
  std::string persistence;  // "UNLOGGED ", or empty
};

struct Subdivision {
  std::string by;  // "HASH (id)"; empty: the partition is a plain table
  std::vector<SubPart> parts;

  [[nodiscard]] bool any() const { return !by.empty(); }
};

// "CREATE TABLE …" for each part of the partition `home`.`relname` (not quoted).
std::vector<std::string> MakeSubParts(const Subdivision& subdivision, const std::string& home,
                                      const std::string& relname, const std::string& storage);
// Their names, quoted, without schema.
std::vector<std::string> NamesOf(const Subdivision& subdivision, const std::string& relname);

// Of a partition as it is. Throws run::Failure (refused): it has partitions that are partitioned
// themselves.
Task<Subdivision> SubdivisionOf(Session& session, pg::Oid partition);

}  // namespace pgalter::partition
