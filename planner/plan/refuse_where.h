#pragma once

// Statements of a plan that change nothing: they ask the server whether something is in the way,
// and fail with a sentence that says what, and what to do. A run asks those of its first step
// before there is a run. Pure.

#include <string>
#include <string_view>

namespace pgalter::plan {

// Their SQLSTATE (object_not_in_prerequisite_state).
inline constexpr std::string_view kInTheWay = "55000";

// `query` gives the sentence in its first row, or none.
[[nodiscard]] std::string RefuseWhere(std::string_view query);
[[nodiscard]] bool OnlyRefuses(std::string_view sql);

}  // namespace pgalter::plan
