// From the catalogs' rows to a schema. Pure but for the results it reads. Private to
// engine/catalog.
#pragma once

#include <vector>

#include "engine/pg/result.h"
#include "planner/catalog/schema.h"

namespace pgalter::live {

// `results` by Part; `sizes` has oid and bytes.
[[nodiscard]] catalog::Schema Assemble(const std::vector<pg::Result>& results,
                                       const pg::Result& sizes);

}  // namespace pgalter::live
