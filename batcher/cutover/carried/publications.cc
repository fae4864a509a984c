#include "batcher/dependants/publications.h"

#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

pg::Statement AskPublications(const Exchange& tables) {
  return dependants::AskPublications(tables.server_version, tables.leaving, tables.name,
                                     tables.name_to_be);
}

}  // namespace

constinit const Carried kPublications{.ask = &AskPublications};

}  // namespace pgalter::cutover
