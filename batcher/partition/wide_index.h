// The unique index of a widened key, as a step that builds it beside the table's users. Text only.
#pragma once

#include <string>

#include "batcher/partition/spec.h"
#include "planner/plan/plan.h"

namespace pgalter::partition {

// The `number`th of those that end in `end`: "pgalter_key1_1a2b3c4d".
std::string WideIndexName(int number, const std::string& end);

// `table`: quoted, with its schema; `home`: that schema, quoted.
plan::Step BuildWideIndex(const WidenedKey& key, const std::string& table, const std::string& home);

}  // namespace pgalter::partition
