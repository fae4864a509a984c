// Hindrance: what keeps a table from being attached, and whether copying its rows is a way around
// it. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace pgalter::partition {

enum class Instead { kNothing, kCopy };

struct Hindrance {
  std::string why;  // with the way out; empty: there is none
  Instead instead = Instead::kNothing;
};

// kNothing: a copy is hindered by it as well, or what is to be done about it is for the user to
// decide. kCopy: a copy may do, and is tried, as far as that goes without writing; what it is
// refused for then is told besides.
struct Way {
  std::string_view kind;
  Instead instead;
};
inline constexpr std::array kWays{
    Way{"partitioned", Instead::kNothing},
    Way{"temporary", Instead::kNothing},
    Way{"inherits", Instead::kNothing},
    Way{"typed", Instead::kNothing},
    Way{"excludes", Instead::kNothing},      // no partitioned table has such a constraint
    Way{"check-not-valid", Instead::kCopy},  // is not valid in the new table, too
    Way{"foreign-key-not-valid", Instead::kNothing},
    Way{"no-inherit", Instead::kNothing},
    Way{"refers-to-itself", Instead::kCopy},  // as long as the key that it refers to stays
    Way{"transition-tables", Instead::kNothing},
    Way{"replica-identity", Instead::kNothing},
    Way{"index-not-valid", Instead::kNothing},
    Way{"publication", Instead::kNothing},
    Way{"publication-columns", Instead::kNothing},
    Way{"null", Instead::kCopy},                    // the default partition holds it
    Way{"null-in-primary-key", Instead::kNothing},  // copied, the column would be NOT NULL as well
    Way{"generated", Instead::kNothing},
    Way{"view-by-key", Instead::kCopy},        // as long as the key that it leans on stays
    Way{"materialized-view", Instead::kCopy},  // made anew, with --rebuild-matviews
    Way{"dependant", Instead::kNothing}};

[[nodiscard]] constexpr Instead InsteadOf(std::string_view kind) {
  for (const Way& way : kWays)
    if (way.kind == kind) return way.instead;
  return Instead::kNothing;
}

}  // namespace pgalter::partition
