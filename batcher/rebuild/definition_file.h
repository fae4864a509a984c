// Definition file: the user's own statements for the new table. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgalter::rebuild {

struct DefinitionStatement {
  std::string moved;  // to the run's schema
  std::string shown;  // how people find it again: its beginning
};

// `table`: quoted, with its schema. Throws run::Failure for whatever is not a CREATE TABLE of that
// name, a partition of it, or an index on one of these.
std::vector<DefinitionStatement> ReadDefinitionFile(std::string_view text, const std::string& table,
                                                    const std::string& schema);

}  // namespace pgalter::rebuild
