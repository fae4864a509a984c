#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// The rows are in the table that comes from now on; the name that was held may be altered.
constexpr const char* kRows = R"sql(
SELECT 'a', format('UPDATE pgalter.legal_hold SET relid = %s WHERE relid = %s', p.coming::oid,
                   p.leaving::oid)
FROM pair p JOIN pgalter.legal_hold h ON h.relid = p.leaving
)sql";

}  // namespace

constinit const Carried kLegalHolds{.rows = kRows};

}  // namespace pgalter::cutover
