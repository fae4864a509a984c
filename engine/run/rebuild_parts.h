// The steps of a rebuild, in order: of a run of its own, and in place of a plan's step "rebuild".
// Their handlers are batcher's.
#pragma once

#include <array>
#include <string_view>

namespace pgalter::run {

struct RebuildPart {
  std::string_view kind;
  std::string_view phase;  // of a run of its own; in a plan all have that of the plan's step
};

inline constexpr std::array kRebuildParts{
    RebuildPart{"shadow", "expand"},    RebuildPart{"capture", "expand"},
    RebuildPart{"copy", "migrate"},     RebuildPart{"key", "migrate"},
    RebuildPart{"indexes", "migrate"},  RebuildPart{"verify", "migrate"},
    RebuildPart{"cutover", "contract"}, RebuildPart{"settle", "contract"},
};

}  // namespace pgalter::run
