#include "planner/lint/finding.h"

#include <array>

namespace pgalter::lint {

namespace {

constexpr std::array<std::string_view, 3> kSeverities = {"note", "warning", "error"};
constexpr std::array<std::string_view, 8> kCategories = {"rewrite", "scan", "lock",   "transaction",
                                                         "failure", "data", "client", "style"};

}  // namespace

std::string_view Name(Severity severity) {
  return kSeverities.at(static_cast<std::size_t>(severity));
}

std::optional<Severity> SeverityFromName(std::string_view name) {
  for (std::size_t i = 0; i < kSeverities.size(); ++i)
    if (kSeverities.at(i) == name) return static_cast<Severity>(i);
  return std::nullopt;
}

std::string_view Name(Category category) {
  return kCategories.at(static_cast<std::size_t>(category));
}

}  // namespace pgalter::lint
