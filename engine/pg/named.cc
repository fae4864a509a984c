#include "engine/pg/named.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace pgalter::pg {

namespace {

bool BeginsName(char c) { return c >= 'a' && c <= 'z'; }
bool IsInName(char c) { return BeginsName(c) || c == '_'; }

// Where the next name begins, behind its colon; npos: there is none.
std::size_t NextName(std::string_view text, std::size_t from) {
  while (from + 1 < text.size()) {
    const std::size_t colon = text.find(':', from);
    if (colon >= text.size() - 1) break;
    if (BeginsName(text[colon + 1])) return colon + 1;
    from = colon + (text[colon + 1] == ':' ? 2 : 1);
  }
  return std::string_view::npos;
}

}  // namespace

Statement Named::Bind(std::string_view text) const {
  Statement statement;
  std::vector<std::string_view> bound;
  std::size_t done = 0;
  for (std::size_t name = NextName(text, 0); name != std::string_view::npos;
       name = NextName(text, done)) {
    const auto* const end = std::find_if_not(text.begin() + name, text.end(), IsInName);
    const auto& value =
        Find(text.substr(name, static_cast<std::size_t>(end - text.begin()) - name));
    auto place = std::ranges::find(bound, value.name);
    if (place == bound.end()) {
      value.add(statement.params);
      place = bound.insert(place, value.name);
    }
    statement.sql += text.substr(done, name - 1 - done);
    statement.sql += fmt::format("${}::{}", place - bound.begin() + 1, value.type);
    done = name + value.name.size();
  }
  statement.sql += text.substr(done);
  return statement;
}

const Named::Value& Named::Find(std::string_view name) const {
  const auto found = std::ranges::find(values_, name, &Value::name);
  if (found == values_.end())
    throw std::logic_error(fmt::format("a statement has :{}, which has no value", name));
  return *found;
}

}  // namespace pgalter::pg
