#include "batcher/cutover/carried.h"
#include "batcher/cutover/sequences.h"

namespace pgalter::cutover {

namespace {

pg::Statement AskIdentities(const Exchange& tables) {
  return AskSequences(tables.leaving, tables.coming, tables.name_to_be, tables.staying.renamed);
}

}  // namespace

constinit const Carried kIdentities{.ask = &AskIdentities, .stays = &Staying::identities};

}  // namespace pgalter::cutover
