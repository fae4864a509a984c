// Split: the pieces that a partition is parted into, as somebody said it on a command line. Reads
// only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/definition.h"
#include "batcher/partition/premake.h"
#include "batcher/partition/repart.h"

namespace pgalter::partition {

// One of: where to cut, how wide each is to be, lists; of a default partition also one range.
struct SplitWish {
  std::string partition;
  std::vector<std::string> at;
  std::string every;
  std::vector<ListPart> lists;
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::string time_zone = "UTC";
  Epoch epoch = Epoch::kNone;  // of integers, for `every`
};

struct Split {
  Whole whole;
  std::vector<Member> members;
  Member source;
  std::vector<Piece> pieces;         // of a default partition: what leaves it
  std::vector<std::string> remarks;  // what stays there although it was asked for
};

// Throws run::Failure.
Task<Split> PlanSplit(Session& session, SplitWish wish);

// The ranges that are to be made ahead, with the rows of the default partition that belong there.
// Throws run::Failure.
Task<PreparedRepart> PreparePremake(Session& session, const Whole& whole, const Premake& premake);

}  // namespace pgalter::partition
