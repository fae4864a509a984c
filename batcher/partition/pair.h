// The table and its partitioned parent, and what both ways of their cut-over have in common.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/later.h"
#include "batcher/partition/spec.h"
#include "engine/guard/execute.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;
using Texts = std::vector<std::string>;

// By the names that they have at the time.
struct Pair {
  Spec spec;
  pg::Oid table = 0;
  pg::Oid parent = 0;

  [[nodiscard]] std::string first() const { return spec.home + "." + spec.first; }
  [[nodiscard]] std::string made() const { return spec.schema + "." + spec.relname; }
};

// The first column of a query in text.
Task<Texts> ReadTexts(Session& session, std::string query, pg::Params params);

void Append(Texts& to, Texts from);

// Of an identity; quoted, with its schema. Empty: the column has none.
Task<std::string> SequenceOf(Session& session, std::string table, std::string column);

// The statement that makes a key of a unique index.
std::string MakeKey(const std::string& table, const std::string& name, const WidenedKey& key,
                    const std::string& index);

}  // namespace pgalter::partition
