#include "batcher/dependants/labels.h"
#include "batcher/cutover/carried.h"
#include "batcher/rebuild/mapping.h"

namespace pgalter::cutover {

namespace {

pg::Statement AskLabels(const Exchange& tables) {
  const auto& renamed = tables.staying.renamed;
  return dependants::AskLabels(tables.leaving, tables.coming, tables.name,
                               {rebuild::FromOf(renamed), rebuild::ToOf(renamed)});
}

}  // namespace

constinit const Carried kLabels{.ask = &AskLabels};

}  // namespace pgalter::cutover
