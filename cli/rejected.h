// Rejected: an error of the command line's own, with everything that its report says.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "engine/run/failure.h"

namespace pgalter::cli {

class Rejected : public std::runtime_error {
 public:
  explicit Rejected(run::Verdict verdict)
      : std::runtime_error(verdict.text), verdict_(std::move(verdict)) {}
  Rejected(run::ExitCode code, std::string text, std::string hint)
      : Rejected(run::Verdict{code, std::move(text), "", "", std::move(hint)}) {}
  [[nodiscard]] const run::Verdict& verdict() const { return verdict_; }

 private:
  run::Verdict verdict_;
};

}  // namespace pgalter::cli
