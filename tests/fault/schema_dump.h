// A database's schema as pg_dump says it, and what two of them do not share.
#pragma once

#include <string>
#include <vector>

#include "tests/support/postgres.h"

namespace pgalter::test {

// Its lines, without pgalter's own schema; sorted, since grants and the like come in no particular
// order.
std::vector<std::string> Dump(const FreshDatabase& database);

// Lines that only one of the two has, with a sign.
std::vector<std::string> Difference(const std::vector<std::string>& before,
                                    const std::vector<std::string>& after);

}  // namespace pgalter::test
