// Parts of a flow's statements, for the files that write them. Pure.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "batcher/capture/flow.h"

namespace pgalter::capture::text {

// k0, k1, …: the key's columns in log and dirty keys.
inline std::string K(std::size_t i) { return fmt::format("k{}", i); }

// part(column, i) for every key column, joined.
template <class Part>
std::string ForKey(const Flow& flow, const char* between, Part part) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < flow.key.size(); ++i) parts.push_back(part(flow.key[i], i));
  return fmt::format("{}", fmt::join(parts, between));
}

// left.a = right.b AND …
template <class Left, class Right>
std::string SameKey(const Flow& flow, Left left, Right right) {
  return ForKey(flow, " AND ", [&](const KeyColumn& column, std::size_t i) {
    return fmt::format("{} {} {}", left(column, i), column.equals, right(column, i));
  });
}

// What a key column is called in rows of `from`, of `to`, and of log and dirty keys.
inline auto FromColumn(const std::string& alias) {
  return [alias](const KeyColumn& column, std::size_t) { return alias + "." + column.from; };
}
inline auto ToColumn(const std::string& alias) {
  return [alias](const KeyColumn& column, std::size_t) { return alias + "." + column.to; };
}
inline auto Numbered(const std::string& alias) {
  return [alias](const KeyColumn&, std::size_t i) { return alias + "." + K(i); };
}

std::string KeyNames(const Flow& flow);

// A partitioned table is read with its partitions; a plain one never with what inherits from it;
// several as one, which the server takes apart again: by an index of each.
std::string From(const Flow& flow);
std::string To(const Flow& flow);

// Rows of the log, written by a transaction that the snapshot of before does not see as ended.
std::string NotTaken(const Flow& flow, const std::string& before);
// The same since the flow last took from the log.
std::string NotTaken(const Flow& flow);
// Keys that are not applied in the snapshot of the statement.
std::string Pending(const Flow& flow);

}  // namespace pgalter::capture::text
