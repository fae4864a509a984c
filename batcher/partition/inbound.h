// Inbound: foreign keys, the table's own among them, that refer to a key which the
// conversion widens, and what becomes of each: dropped, widened as well, or replaced by triggers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batcher/partition/prepare.h"

namespace pgalter::partition {

std::optional<InboundFk> ParseInboundFk(std::string_view word);

// Settles spec.inbound, what replaces it, and the steps that come before the cut-over. Throws
// run::Failure: refused, with the ways out, or a right that is missing. Writes nothing.
Task<> SettleInbound(Session& session, Prepared& prepared);

}  // namespace pgalter::partition
