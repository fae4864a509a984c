// The windows of the database's policy (`pgalter policy set`), for a run that goes on: it rests
// while none is open, and while a blackout is.
#pragma once

#include <optional>
#include <string>

#include "engine/guard/session.h"
#include "engine/watch/reading.h"

namespace pgalter::cli::outside {

using async::Task;

class Windows {
 public:
  Windows(guard::SessionOptions session, std::string run);

  Task<> Follow();  // until cancelled: where there are none, somebody may set some

  // Looks now: which right is missing to know of windows at all; nullopt: none.
  Task<std::optional<std::string>> WhyHidden();
  // nullopt: nothing is against it. Waits until they have been looked at.
  Task<std::optional<std::string>> WhyNot();
  // As a signal; nullopt where there are none.
  [[nodiscard]] std::optional<watch::Reading> reading() const;

 private:
  enum class Found { kNone, kSome };
  Task<Found> Look();
  Task<Found> LookOrSayWhyNot();

  guard::SessionOptions options_;
  std::string run_;
  guard::Session session_;
  bool looked_ = false;
  std::optional<watch::Reading> reading_;
};

}  // namespace pgalter::cli::outside
