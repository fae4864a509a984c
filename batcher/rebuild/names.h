// Names: what source and shadow, and their columns, are called while the shadow is made.
#pragma once

#include <string>

namespace pgalter::rebuild {

struct Names {
  std::string schema;   // of the run
  std::string source;   // quoted, with schema
  std::string relname;  // not quoted
  std::string shadow;   // quoted, with schema
};

// A column whose values come over as they are, or in another type. Names are not quoted.
struct SameColumn {
  std::string from;
  std::string to;
};

}  // namespace pgalter::rebuild
