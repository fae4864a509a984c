// Names: what source and shadow are called while the shadow is made.
#pragma once

#include <string>

namespace pgalter::rebuild {

struct Names {
  std::string schema;   // of the run
  std::string source;   // quoted, with schema
  std::string relname;  // not quoted
  std::string shadow;   // quoted, with schema
};

}  // namespace pgalter::rebuild
