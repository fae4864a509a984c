// Fail points, safeguard switches and shorter limits, for test builds only (PGALTER_TEST_HOOKS).
//
//   PGALTER_FAIL_POINT=name[:n]    the process kills itself (SIGKILL) the n-th time it gets there
//   PGALTER_SAFEGUARDS_OFF=a,b     the named safeguards are left out: a torture run must then fail
//   PGALTER_LIMITS=name=ms,...     the named limits: a test cannot wait for minutes
//
// In a release all are compiled out: FailPoint does nothing, SafeguardOn is always true, LimitOf is
// what is usual.
#pragma once

#include <chrono>
#include <string_view>

namespace pgalter::async {

#ifdef PGALTER_TEST_HOOKS
void FailPoint(std::string_view name);
bool SafeguardOn(std::string_view name);
std::chrono::milliseconds LimitOf(std::string_view name, std::chrono::milliseconds usual);
#else
inline void FailPoint(std::string_view) {}
constexpr bool SafeguardOn(std::string_view) { return true; }
constexpr std::chrono::milliseconds LimitOf(std::string_view, std::chrono::milliseconds usual) {
  return usual;
}
#endif

}  // namespace pgalter::async
