#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// CHECKs that users have validated since. One that is added in the swap is not valid there.
constexpr const char* kRows = R"sql(
SELECT 'v', format('ALTER TABLE %s VALIDATE CONSTRAINT %I', :name, n.name)
FROM altered n
WHERE n.relid = :leaving AND n.kind = 'validity' AND n.text IS NOT NULL
  AND (EXISTS (SELECT FROM unnest(:checks) c (add)
               WHERE starts_with(c.add, format('ADD CONSTRAINT %I ', n.name)))
       OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = :coming AND k.conname = n.name
                  AND k.contype IN ('c', 'n') AND NOT k.convalidated))
)sql";

}  // namespace

constinit const Carried kValidity{.rows = kRows};

}  // namespace pgalter::cutover
