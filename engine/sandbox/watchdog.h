// A small process that outlives this one for a moment: when its owner is gone, however that
// happened, it stops the server of one sandbox at once and removes the folder. It is a shell, not a
// forked copy of us: that is safe in a program with threads and holds none of our memory.
#pragma once

#include "engine/sandbox/descriptor.h"
#include "engine/sandbox/directory.h"

namespace pgalter::sandbox {

class Watchdog {
 public:
  Watchdog() = default;
  static Watchdog Guard(const Directory& directory);

  // The sandbox is gone or is to be kept: the watchdog ends and does nothing.
  void Dismiss() noexcept;

 private:
  explicit Watchdog(Descriptor line) : line_(std::move(line)) {}
  Descriptor line_;  // closed by the system when this process ends: that is the signal
};

}  // namespace pgalter::sandbox
