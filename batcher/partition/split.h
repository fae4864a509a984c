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
  std::vector<Givens> at;  // one value for each column of the key
  std::string every;
  std::vector<ListPart> lists;
  Givens from;
  Givens to;
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

// Throws run::Failure; not where there is nothing to cut.
Task<Split> PlanSplit(Session& session, SplitWish wish);
// Throws run::Failure (usage): it has no piece.
void RefuseNothingToCut(const Split& split);

// Whether it can go in several exchanges: not where lists are cut out of a list.
[[nodiscard]] bool GoesInParts(const Split& split);
// The last so many of its pieces alone. What is left of the old partition is the first one, by its
// name unless a piece has that; of a default partition it is the default one as ever.
Task<Split> LastOf(Session& session, Split split, std::size_t pieces);
// What is left to be split then. `rest`: the partition that has it, quoted, with its schema.
SplitWish Without(SplitWish wish, std::size_t pieces, std::string rest);

// The ranges that are to be made ahead, with the rows of the default partition that belong there.
// Throws run::Failure.
Task<PreparedRepart> PreparePremake(Session& session, const Whole& whole, const Premake& premake);

}  // namespace pgalter::partition
