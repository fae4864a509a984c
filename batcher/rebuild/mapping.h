// Mapping: which value each column of the new table gets, by which key its rows are found, and the
// same for the way back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/capture/flow.h"
#include "batcher/rebuild/names.h"
#include "batcher/rebuild/spec.h"

namespace pgalter::rebuild {

using async::Task;
using guard::Session;

// Those of the same name that are given no other value, then those that are given a column of the
// old table by --map 'new = old'.
Task<std::vector<SameColumn>> SameColumns(Session& session, const Names& names, const Spec& spec,
                                          pg::Oid source);
// Of these: those that have another name, and their own no more. Each column once.
[[nodiscard]] std::vector<SameColumn> Renamed(const std::vector<SameColumn>& same);
// Side by side, as queries take them.
[[nodiscard]] std::vector<std::string> FromOf(const std::vector<SameColumn>& columns);
[[nodiscard]] std::vector<std::string> ToOf(const std::vector<SameColumn>& columns);
// Of the new table, with a value that is no such column.
Task<std::vector<std::string>> ComputedColumns(Session& session, const Names& names,
                                               const Spec& spec, pg::Oid source);

// Columns of the same name, what --map and USING say, and for the rest their defaults. Throws
// run::Failure for a column that is not there.
Task<std::vector<capture::MappedColumn>> MapColumns(Session& session, const Names& names,
                                                    const Spec& spec, pg::Oid source);

// A unique key of the source whose values stay as they are in the new table, under whatever names.
// Throws run::Failure.
Task<std::vector<capture::KeyColumn>> ChooseKey(Session& session, const Names& names,
                                                const Spec& spec, pg::Oid source);

// The key with the columns by which the new table is partitioned, where these too stay as they are:
// a row is then looked for in one partition instead of in each.
Task<std::vector<capture::KeyColumn>> WithPartitionKey(Session& session, const Names& names,
                                                       const Spec& spec, pg::Oid source,
                                                       std::vector<capture::KeyColumn> key);

// Of a row whose key would be another one in the new table nothing is done: it does not fit. It
// could not be found again there.
Task<> KeepKeyExact(Session& session, capture::Flow& flow);

// What users write into the new table, back into the old one: columns that came over as they were,
// by assignment. nullopt: the values cannot be put back. `key` is a key of the old table, so that
// what it says is unique there cannot be said twice.
Task<std::optional<capture::Flow>> FlowBack(Session& session, const Names& names, const Spec& spec,
                                            const capture::Flow& forward,
                                            std::vector<capture::KeyColumn> key,
                                            std::vector<std::string>& remarks);

}  // namespace pgalter::rebuild
