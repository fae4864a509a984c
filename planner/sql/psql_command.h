#pragma once

// psql's own commands in a script. Private to planner/sql.

#include <cstddef>
#include <optional>
#include <string_view>

namespace pgalter::sql {

struct PsqlCommand {
  std::size_t end = 0;           // behind the command, and behind \\ if that ends it
  bool sends_statement = false;  // \g and its kin: a semicolon with a purpose
  bool data_follows = false;     // \copy … from stdin
};

// The command at the backslash; nothing if there is none. It ends with the line, or earlier where
// another begins.
[[nodiscard]] std::optional<PsqlCommand> ReadPsqlCommand(std::string_view text, std::size_t at);

}  // namespace pgalter::sql
