#include "batcher/split/wish.h"

#include <algorithm>

#include "planner/sql/words.h"

namespace pgalter::split {

namespace {

sql::Error Refusal(std::string why) {
  return {std::move(why), 0, "write 'orders (note, noted_at) INTO order_note'"};
}

}  // namespace

sql::Result<Wish> ReadWish(std::string_view text) {
  const auto words = sql::Words::Read(text);
  if (!words) return words.error();
  const std::size_t open = words->AfterName(0);
  const std::size_t into = words->Find("into");
  if (!words->Is(open, "(") || into <= open + 2 || into + 1 >= words->size() ||
      !words->Is(into - 1, ")"))
    return Refusal("a table, its columns and a new table are not all named");
  Wish wish;
  wish.table = words->Cut(0, open);
  if (const auto table = sql::ParseQualifiedName(wish.table); !table) return table.error();
  for (const std::string& part : words->Parts(open + 1, into - 1)) {
    const auto column = sql::ParseQualifiedName(part);
    if (!column || column->schema) return Refusal("\"" + part + "\" is no column's name");
    if (std::ranges::find(wish.columns, column->name) != wish.columns.end())
      return Refusal("column " + column->name + " is named twice");
    wish.columns.push_back(column->name);
  }
  const auto target = sql::ParseQualifiedName(words->Cut(into + 1, words->size()));
  if (!target) return target.error();
  if (target->schema)
    return Refusal("the new table is made in the schema of the other one: name it without one");
  wish.target = target->name;
  return wish;
}

}  // namespace pgalter::split
