#include "batcher/partition/way_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "batcher/partition/given.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

namespace {

constexpr std::string_view kIn = "FOR VALUES IN (";

std::string ForShell(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  };
  if (!word.empty() && std::ranges::all_of(word, plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string NameOf(const std::string& quoted) {
  const auto parsed = sql::ParseQualifiedName(quoted);
  return parsed ? parsed->name : quoted;
}

std::string MergeOf(const std::vector<std::string>& from, const Target& target) {
  std::string command = "pgalter partition merge";
  for (const std::string& partition : from) command += " " + ForShell(partition);
  return fmt::format("{} --name {} --yes", command, ForShell(NameOf(target.becomes)));
}

// A split puts the whole's name before.
std::string ListOf(const std::string& whole, const Target& target) {
  std::string name = NameOf(target.becomes);
  const std::string before = NameOf(whole) + "_";
  if (name.starts_with(before) && name.size() > before.size()) name.erase(0, before.size());
  const std::string values = target.bound.substr(kIn.size(), target.bound.size() - kIn.size() - 1);
  return fmt::format(" --values {}", ForShell(name + "=" + ToText(ReadLiterals(values))));
}

std::string SplitOf(const std::string& whole, const std::string& from,
                    const std::vector<Target>& targets) {
  std::string command = "pgalter partition split " + ForShell(from);
  const bool lists = targets.front().bound.starts_with(kIn);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (lists) command += ListOf(whole, targets[i]);
    if (!lists && i + 1 < targets.size())
      command += fmt::format(" --at {}", ForShell(ToText(ReadLiterals(EndOf(targets[i].bound)))));
  }
  return command + " --yes";
}

}  // namespace

std::string EndOf(const std::string& bound) {
  constexpr std::string_view kTo = " TO (";
  std::size_t at = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < bound.size(); ++i) {
    if (bound[i] == '\'') quoted = !quoted;
    if (!quoted && bound.compare(i, kTo.size(), kTo) == 0) at = i;
  }
  return bound.substr(at + kTo.size(), bound.size() - at - kTo.size() - 1);
}

std::string CommandFor(const std::string& whole, const std::vector<std::string>& from,
                       const std::vector<Target>& targets) {
  const bool rest =
      std::ranges::any_of(targets, [](const Target& target) { return target.bound == "DEFAULT"; });
  if (rest || targets.empty() || from.empty()) return "";
  if (targets.size() == 1) return MergeOf(from, targets.front());
  return from.size() == 1 ? SplitOf(whole, from.front(), targets) : "";
}

}  // namespace pgalter::partition
