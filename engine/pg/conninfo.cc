#include "engine/pg/conninfo.h"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>

#include "engine/pg/error.h"

namespace pgalter::pg {

namespace {

constexpr std::string_view kCannotConnect = "08001";

// libpq quotes the text it stumbled on, which may be a password: say where to look instead.
ConnectError NotValid() {
  PgErrorFields fields;
  fields.sqlstate = kCannotConnect;
  fields.message = "the connection string is not valid";
  fields.hint = "keyword=value pairs or a postgresql:// URI; see the documentation of libpq";
  return ConnectError(std::move(fields));
}

// As libpq reads it.
std::string Quoted(const std::string& value) {
  if (!value.empty() && value.find_first_of(" '\\") == std::string::npos) return value;
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

auto Find(const std::vector<std::pair<std::string, std::string>>& keywords,
          std::string_view keyword) {
  return std::find_if(keywords.begin(), keywords.end(),
                      [&](const auto& entry) { return entry.first == keyword; });
}

}  // namespace

Conninfo Conninfo::Parse(std::string_view dsn) {
  if (dsn.find('\0') != std::string_view::npos) throw NotValid();
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(std::string(dsn).c_str(), &error), &PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> error_owner(error, &PQfreemem);
  if (!options) throw NotValid();
  Conninfo conninfo;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr) conninfo.Set(option->keyword, option->val);
  return conninfo;
}

void Conninfo::Set(std::string_view keyword, std::string_view value) {
  const auto found = Find(keywords_, keyword);
  if (found == keywords_.end()) {
    keywords_.emplace_back(keyword, value);
  } else {
    keywords_[static_cast<std::size_t>(found - keywords_.begin())].second = value;
  }
}

void Conninfo::SetDefault(std::string_view keyword, std::string_view value) {
  if (Find(keywords_, keyword) == keywords_.end()) Set(keyword, value);
}

std::optional<std::string> Conninfo::Get(std::string_view keyword) const {
  const auto found = Find(keywords_, keyword);
  if (found == keywords_.end()) return std::nullopt;
  return found->second;
}

std::string Conninfo::Redacted() const {
  std::string text;
  for (const auto& [keyword, value] : keywords_) {
    if (keyword == "password" || keyword == "sslpassword") continue;
    if (!text.empty()) text += ' ';
    text += keyword + '=' + Quoted(value);
  }
  return text;
}

}  // namespace pgalter::pg
