#include <algorithm>
#include <array>
#include <string_view>

#include "planner/locks/draft.h"
#include "planner/locks/types.h"

namespace pgalter::locks {
namespace {

using ast::TypeName;

// When the new modifiers hold every value that the old ones do.
enum class Fit {
  kAlways,
  kLength,     // none, or at least as long
  kPrecision,  // likewise, and 6 is as good as none
  kNumeric,    // likewise, the scale the same
  kInterval,   // precision, and the fields down to the seconds
  kNoLength,   // only without a modifier
};

struct Free {
  std::string_view from;
  std::string_view to;
  TypeChange change;
  Fit fit;
};

constexpr Free kFree[] = {
#define PGALTER_FREE_TYPE_CHANGE(from, to, change, fit) {from, to, TypeChange::change, Fit::fit},
#include "planner/locks/facts/type_changes.def"
#undef PGALTER_FREE_TYPE_CHANGE
};

struct Casts {
  std::string_view from;
  std::string_view assigned;  // by the server itself
  std::string_view written;   // only where USING says so
};

constexpr Casts kCasts[] = {
#define PGALTER_CASTS(from, assigned, written) {from, assigned, written},
#include "planner/locks/facts/casts.def"
#undef PGALTER_CASTS
};

bool Lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto end = list.find(' ');
    if (list.substr(0, end) == word) return true;
    if (end == std::string_view::npos) return false;
    list.remove_prefix(end + 1);
  }
  return false;
}

constexpr int kFullPrecision = 6;

int Precision(const TypeName& type) {
  return type.modifiers.empty() ? kFullPrecision : std::min(type.modifiers.back(), kFullPrecision);
}

// The fields are a mask, a precision may follow. DAY TO SECOND cuts nothing that is stored.
bool HoldsInterval(const TypeName& from, const TypeName& to) {
  constexpr int kSecond = 1 << 12;
  constexpr int kEveryField = 0x7fff;
  const auto fields = [](const TypeName& type) {
    return type.modifiers.empty() ? kEveryField : type.modifiers[0];
  };
  const auto precision = [](const TypeName& type) {
    return type.modifiers.size() > 1 ? std::min(type.modifiers[1], kFullPrecision) : kFullPrecision;
  };
  if (precision(to) < precision(from)) return false;
  return fields(from) == fields(to) || (static_cast<unsigned>(fields(to)) & kSecond) != 0;
}

bool Holds(Fit fit, const TypeName& from, const TypeName& to) {
  const bool limited = !from.modifiers.empty();
  switch (fit) {
    case Fit::kAlways:
      return true;
    case Fit::kLength:
      return to.modifiers.empty() || (limited && to.modifiers[0] >= from.modifiers[0]);
    case Fit::kPrecision:
      return Precision(to) >= Precision(from);
    case Fit::kNumeric: {
      if (to.modifiers.empty()) return true;
      const auto scale = [](const TypeName& type) {
        return type.modifiers.size() > 1 ? type.modifiers[1] : 0;
      };
      return limited && to.modifiers[0] >= from.modifiers[0] && scale(to) == scale(from);
    }
    case Fit::kInterval:
      return HoldsInterval(from, to);
    case Fit::kNoLength:
      return to.modifiers.empty();
  }
  return false;
}

const Casts* CastsOf(std::string_view from) {
  const auto found = std::ranges::find(kCasts, from, &Casts::from);
  return found == std::end(kCasts) ? nullptr : &*found;
}

constexpr int kBytesOfIntegers = 18;  // the version that casts between the two

bool IsInteger(std::string_view name) { return name == "int2" || name == "int4" || name == "int8"; }

TypeChange JudgeCast(const TypeName& from, const TypeName& to, int version) {
  if (from.name == to.name) return TypeChange::kRewrite;
  const Casts* casts = CastsOf(from.name);
  if (casts == nullptr || CastsOf(to.name) == nullptr) {
    // Anything may become text.
    const bool text = to.array_dimensions == 0 && (to.name == "text" || to.name == "varchar");
    return text && IsWellKnown(from) ? TypeChange::kRewrite : TypeChange::kUnknown;
  }
  if (Lists(casts->assigned, to.name)) return TypeChange::kRewrite;
  if (!Lists(casts->written, to.name)) return TypeChange::kImpossible;
  const bool bytes =
      (from.name == "bytea" && IsInteger(to.name)) || (to.name == "bytea" && IsInteger(from.name));
  return bytes && version < kBytesOfIntegers ? TypeChange::kImpossible : TypeChange::kNeedsUsing;
}

// Arrays are cast item by item, without any of the shortcuts; but dropping a limit is free.
TypeChange JudgeArrays(const TypeName& from, const TypeName& to, int version) {
  if (from.name == to.name) {
    const bool same = from.modifiers == to.modifiers || to.modifiers.empty();
    return same ? TypeChange::kNothing : TypeChange::kRewrite;
  }
  return JudgeCast(from, to, version);
}

// An array and what is none have only their text in common.
TypeChange JudgeText(const TypeName& from, const TypeName& to) {
  const TypeName& other = from.array_dimensions != 0 ? to : from;
  if (!IsWellKnown(other)) return TypeChange::kUnknown;
  constexpr std::array<std::string_view, 5> kTexts = {"text", "varchar", "bpchar", "name",
                                                      "citext"};
  if (std::ranges::find(kTexts, other.name) == kTexts.end()) return TypeChange::kImpossible;
  return from.array_dimensions != 0 ? TypeChange::kRewrite : TypeChange::kNeedsUsing;
}

}  // namespace

TypeChange JudgeTypeChange(const sql::ast::TypeName& from, const sql::ast::TypeName& to,
                           int server_version) {
  if (from.name.empty() || to.name.empty()) return TypeChange::kUnknown;
  if (IsSerial(to)) return TypeChange::kImpossible;
  if (from == to) return TypeChange::kNothing;
  if (from.array_dimensions != 0 && to.array_dimensions != 0)
    return JudgeArrays(from, to, server_version);
  if (from.array_dimensions != 0 || to.array_dimensions != 0) return JudgeText(from, to);
  for (const Free& free : kFree)
    if (free.from == from.name && free.to == to.name && Holds(free.fit, from, to))
      return free.change;
  return JudgeCast(from, to, server_version);
}

}  // namespace pgalter::locks
