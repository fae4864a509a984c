#include "planner/plan/refuse_where.h"

#include <fmt/format.h>

namespace pgalter::plan {

namespace {

constexpr std::string_view kBegin = "DO $pgalter$ DECLARE why text; BEGIN ";

}  // namespace

std::string RefuseWhere(std::string_view query) {
  return fmt::format(
      "{}{} INTO why; IF why IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = why; "
      "END IF; END $pgalter$",
      kBegin, query, kInTheWay);
}

bool OnlyRefuses(std::string_view sql) { return sql.starts_with(kBegin); }

}  // namespace pgalter::plan
