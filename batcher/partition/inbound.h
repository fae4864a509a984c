// Inbound: foreign keys, the table's own among them, that refer to a key which the
// conversion widens, and what becomes of each: dropped, widened as well, or replaced by triggers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batcher/partition/prepare.h"
#include "batcher/rebuild/going_keys.h"

namespace pgalter::partition {

std::optional<InboundFk> ParseInboundFk(std::string_view word);

enum class ByWay { kAttach, kCopy };
struct InboundWish {
  ByWay way = ByWay::kAttach;
  std::string table;  // quoted, with its schema
  pg::Oid oid = 0;
  std::vector<std::string> columns;  // that unique keys get, not quoted
  InboundFk means = InboundFk::kRefuse;
  // By copy, where foreign keys are widened: the table's, as they are to be. Those that are
  // referred to are built on it before, so that the wide foreign keys hold from the beginning.
  std::vector<WidenedKey> keys;
};

struct Inbound {
  std::vector<rebuild::GoingKey> keys;
  std::vector<std::string> make;  // in the cut-over: what takes their place
  std::vector<std::string> drop;  // on the way back, before they are added again
  std::vector<InboundCheck> checks;
  std::vector<plan::Step> before;  // the cut-over; by attaching, once the wide keys are there
  std::vector<pg::Oid> also;       // tables that these change
  std::vector<std::string> remarks;
};

// Whatever becomes of them, only the owner of a table who may use its schema changes its foreign
// keys: a copy would find it out at its end, and attaching under the CHECK of the bound. Throws
// run::Failure (unsupported).
Task<> RefuseStrangersKeys(Session& session, const backfill::Table& table);

// Throws run::Failure: refused, with the ways out, or a right that is missing. Writes nothing.
Task<Inbound> SettleInbound(Session& session, InboundWish wish);

// The same for a table whose rows are to be copied.
Task<Inbound> SettleInboundOfCopy(Session& session, const Wish& wish);

// Throws run::Failure (usage): of --primary-key beside --inbound-fk widen.
[[noreturn]] void RefuseMoreColumns();

// As a rebuild is told of it.
rebuild::GoingKeys GoingKeysOf(Inbound inbound);

}  // namespace pgalter::partition
