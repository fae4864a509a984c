#include "cli/rebuild_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <utility>

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

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(run::ExitCode::kUsage, what, hint);
}

struct Divided {
  TableWish* wish;  // null: it names no table
  std::string rest;
};

Divided Divide(std::vector<TableWish>& wishes, const char* option, const std::string& text) {
  for (TableWish& wish : wishes) {
    std::string rest;
    if (!TakePrefix(text, wish.table, rest)) continue;
    if (rest.empty())
      Refuse(fmt::format("{} \"{}\" says nothing", option, text),
             "what is to change stands behind the colon");
    return {&wish, rest};
  }
  return {wishes.size() == 1 ? &wishes.front() : nullptr, text};
}

Divided DivideForOne(std::vector<TableWish>& wishes, const char* option, const std::string& text) {
  Divided divided = Divide(wishes, option, text);
  if (divided.wish != nullptr) return divided;
  std::vector<std::string> begins;
  for (const TableWish& wish : wishes) begins.push_back(fmt::format("'{}: …'", wish.table));
  Refuse(fmt::format("{} \"{}\" does not say which table it is for", option, text),
         fmt::format("begin it with the table as it was given: {}", fmt::join(begins, " or ")));
}

// What is said of a table once at most.
struct Once {
  const char* option;
  std::string TableWish::*said;
  const char* hint;
};
constexpr Once kAlter{"--alter", &TableWish::alter,
                      "say it in one, with commas: 'ALTER a TYPE bigint, DROP b'"};
constexpr Once kOrder{"--order-by", &TableWish::order_by,
                      "say it in one, with commas: 'customer, made'"};
constexpr Once kTablespace{"--tablespace", &TableWish::tablespace, "a table is in one"};
constexpr Once kAccessMethod{"--access-method", &TableWish::access_method, "a table has one"};

void Say(const Once& once, TableWish& wish, const std::string& text) {
  if (!(wish.*once.said).empty())
    Refuse(fmt::format("there are two {} for {}", once.option, wish.table), once.hint);
  wish.*once.said = text;
}

void SayOfEach(const Once& once, const std::vector<std::string>& texts,
               std::vector<TableWish>& wishes) {
  for (const std::string& text : texts) {
    const Divided divided = DivideForOne(wishes, once.option, text);
    Say(once, *divided.wish, divided.rest);
  }
}

void SayOfEachOrAll(const Once& once, const std::vector<std::string>& texts, bool has_definition,
                    std::vector<TableWish>& wishes) {
  std::string of_all;
  for (const std::string& text : texts) {
    const Divided divided = Divide(wishes, once.option, text);
    if (has_definition && (wishes.size() == 1 || divided.wish == nullptr))
      Refuse(fmt::format("{} and --definition are two ways to say the same", once.option),
             wishes.size() == 1 ? "write it into the definition"
                                : fmt::format("write it into the definition, or, of a table "
                                              "without one: {} 'TABLE: …'",
                                              once.option));
    if (divided.wish != nullptr) {
      Say(once, *divided.wish, divided.rest);
      continue;
    }
    if (!of_all.empty())
      Refuse(fmt::format("there are two {} for all tables", once.option), once.hint);
    of_all = text;
  }
  for (TableWish& wish : wishes)
    if ((wish.*once.said).empty()) wish.*once.said = of_all;
}

}  // namespace

std::vector<TableWish> ReadTableWishes(const std::vector<std::string>& tables,
                                       const TableOptions& options) {
  std::vector<TableWish> wishes;
  for (const std::string& table : tables) {
    for (const TableWish& other : wishes)
      if (other.table == table)
        Refuse(fmt::format("{} is named twice", table), "name each table once");
    TableWish wish;
    wish.table = table;
    wishes.push_back(std::move(wish));
  }
  SayOfEach(kAlter, options.alters, wishes);
  for (const std::string& map : options.maps) {
    const Divided divided = DivideForOne(wishes, "--map", map);
    divided.wish->maps.push_back(divided.rest);
  }
  SayOfEach(kOrder, options.orders, wishes);
  SayOfEachOrAll(kTablespace, options.tablespaces, options.has_definition, wishes);
  SayOfEachOrAll(kAccessMethod, options.access_methods, options.has_definition, wishes);
  return wishes;
}

}  // namespace pgalter::cli
