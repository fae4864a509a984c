// The one exception of this room. Its text says what was tried, why it failed, what to do next.
#pragma once

#include <stdexcept>

namespace pgalter::sandbox {

class SandboxError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace pgalter::sandbox
