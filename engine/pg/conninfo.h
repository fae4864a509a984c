// Where to connect: libpq's own forms (keyword/value, URI, PGHOST…, service file, .pgpass), plus
// what every session of ours adds. Never printed whole: Redacted() leaves the password out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgalter::pg {

class Conninfo {
 public:
  Conninfo() = default;  // environment and service file only
  // Throws PgError (SQLSTATE 08001) saying what is wrong with the text.
  static Conninfo Parse(std::string_view dsn);

  // Sets a keyword, replacing an earlier value.
  void Set(std::string_view keyword, std::string_view value);
  // Sets it only where the user's text has none.
  void SetDefault(std::string_view keyword, std::string_view value);
  std::optional<std::string> Get(std::string_view keyword) const;

  const std::vector<std::pair<std::string, std::string>>& keywords() const { return keywords_; }
  std::string Redacted() const;

 private:
  std::vector<std::pair<std::string, std::string>> keywords_;
};

}  // namespace pgalter::pg
