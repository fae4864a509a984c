// What is known of the database before the first file: a dump or the live catalog, sizes of tables.
#pragma once

#include <string>
#include <vector>

#include "cli/lint/settings.h"
#include "planner/catalog/schema.h"

namespace pgalter::cli {

struct KnownSchema {
  catalog::Schema schema;
  std::vector<std::string> remarks;   // of what was not understood
  std::optional<int> server_version;  // major, of the live server
};

Task<KnownSchema> ReadKnownSchema(const Context& context, const LintSettings& settings);

// pg_dump's text, statement by statement. Returns how many were not read.
int ApplyDump(std::string_view text, catalog::Schema& schema);

}  // namespace pgalter::cli
