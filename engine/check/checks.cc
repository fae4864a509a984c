#include "engine/check/checks.h"

#include <array>

namespace pgalter::check {

namespace {
#define PGALTER_CHECK(name) &k##name,
constexpr std::array kChecks{
#include "engine/check/checks.def"
};
#undef PGALTER_CHECK
}  // namespace

std::span<const Check* const> AllChecks() { return kChecks; }

const Check* FindCheck(std::string_view id) {
  for (const Check* check : kChecks)
    if (check->id == id) return check;
  return nullptr;
}

std::string_view Name(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kBlocker:
      break;
  }
  return "blocker";
}

}  // namespace pgalter::check
