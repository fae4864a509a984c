// What a conversion comes to, for people and for programs, of the same figures. Private to
// cli/partition.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/definition.h"
#include "batcher/partition/prepare.h"
#include "batcher/partition/strategies.h"
#include "batcher/rebuild/prepare.h"
#include "cli/context.h"

namespace pgalter::cli {

// With --dry-run on stdout; else on stderr, where it is not JSON. `costs`: none where the user has
// chosen the way.
void ShowAttach(const Context& context, const partition::Prepared& prepared,
                const std::vector<partition::Cost>& costs);
void ShowCopy(const Context& context, const partition::Definition& definition,
              const rebuild::Prepared& prepared);

// "3 partitions, events_p2026_01 to events_default"
std::string PartitionsOf(const partition::Definition& definition);

}  // namespace pgalter::cli
