// A database's schema as text, for comparison: as pg_dump says it, or, since servers from npm come
// without that, as our own queries of the catalogs do, in the same shape.
#pragma once

#include <string>
#include <vector>

#include "tests/support/postgres.h"

namespace pgalter::test {

struct SchemaTextOptions {
  std::vector<std::string> without_schemas = {};
  std::vector<std::string> without_tables = {};  // of schema public
  bool comments = true;
};

// Columns in their order, each on a line of its own in the brackets of CREATE TABLE.
[[nodiscard]] std::string SchemaText(const FreshDatabase& database,
                                     const SchemaTextOptions& options = {});

// One INSERT for each 500 rows of `from`, into a table `into` of the same columns.
[[nodiscard]] std::string InsertsOf(const FreshDatabase& database, const std::string& from,
                                    const std::string& into);

}  // namespace pgalter::test
