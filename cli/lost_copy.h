// A run whose copy is lost, by the words of its failure.
#pragma once

#include <string>

namespace pgalter::cli {

// Whether to give it up is all that its failure leaves to do.
inline bool CanOnlyBeGivenUp(const std::string& run, const std::string& failure) {
  const auto says = [&failure](const std::string& what) {
    return failure.find(what) != std::string::npos;
  };
  return says("pgalter abort " + run + " --yes, and begin again") && !says("pgalter resume " + run);
}

}  // namespace pgalter::cli
