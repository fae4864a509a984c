// Fail points and safeguard switches, for test builds only (PGALTER_TEST_HOOKS).
//
//   PGALTER_FAIL_POINT=name[:n]    the process kills itself (SIGKILL) the n-th time it gets there
//   PGALTER_SAFEGUARDS_OFF=a,b     the named safeguards are left out: a torture run must then fail
//
// In a release both are compiled out: FailPoint does nothing, SafeguardOn is always true.
#pragma once

#include <string_view>

namespace pgalter::async {

#ifdef PGALTER_TEST_HOOKS
void FailPoint(std::string_view name);
bool SafeguardOn(std::string_view name);
#else
inline void FailPoint(std::string_view) {}
constexpr bool SafeguardOn(std::string_view) { return true; }
#endif

}  // namespace pgalter::async
