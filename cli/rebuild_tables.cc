#include "cli/rebuild_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// What stands behind "TABLE:", if the text begins so. Two colons are a cast.
bool TakePrefix(std::string_view text, std::string_view table, std::string& rest) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos || !text.substr(begin).starts_with(table)) return false;
  const std::size_t colon = text.find_first_not_of(kBlanks, begin + table.size());
  if (colon == std::string_view::npos || text[colon] != ':') return false;
  if (text.substr(colon + 1).starts_with(':')) return false;
  const std::size_t first = text.find_first_not_of(kBlanks, colon + 1);
  rest = first == std::string_view::npos ? "" : text.substr(first);
  return true;
}

struct Divided {
  TableWish& wish;
  std::string rest;
};

Divided Divide(std::vector<TableWish>& wishes, const char* option, const std::string& text) {
  for (TableWish& wish : wishes) {
    std::string rest;
    if (!TakePrefix(text, wish.table, rest)) continue;
    if (rest.empty())
      throw Rejected(run::ExitCode::kUsage, fmt::format("{} \"{}\" says nothing", option, text),
                     "what is to change stands behind the colon");
    return {wish, rest};
  }
  if (wishes.size() == 1) return {wishes.front(), text};
  std::vector<std::string> begins;
  for (const TableWish& wish : wishes) begins.push_back(fmt::format("'{}: …'", wish.table));
  throw Rejected(
      run::ExitCode::kUsage,
      fmt::format("{} \"{}\" does not say which table it is for", option, text),
      fmt::format("begin it with the table as it was given: {}", fmt::join(begins, " or ")));
}

}  // namespace

std::vector<TableWish> ReadTableWishes(const std::vector<std::string>& tables,
                                       const std::vector<std::string>& alters,
                                       const std::vector<std::string>& maps) {
  std::vector<TableWish> wishes;
  for (const std::string& table : tables) {
    for (const TableWish& other : wishes)
      if (other.table == table)
        throw Rejected(run::ExitCode::kUsage, fmt::format("{} is named twice", table),
                       "name each table once");
    wishes.push_back({table, "", {}});
  }
  for (const std::string& alter : alters) {
    const Divided divided = Divide(wishes, "--alter", alter);
    if (!divided.wish.alter.empty())
      throw Rejected(run::ExitCode::kUsage,
                     fmt::format("there are two --alter for {}", divided.wish.table),
                     "say it in one, with commas: 'ALTER a TYPE bigint, DROP b'");
    divided.wish.alter = divided.rest;
  }
  for (const std::string& map : maps) {
    const Divided divided = Divide(wishes, "--map", map);
    divided.wish.maps.push_back(divided.rest);
  }
  return wishes;
}

}  // namespace pgalter::cli
