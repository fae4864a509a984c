// Fail points, safeguard switches and shorter limits, for test builds only (CMake:
// PGALTER_TEST_HOOKS).
//
//   PGALTER_FAIL_POINT=name[:n]    the process kills itself (SIGKILL) the n-th time it gets there
//   PGALTER_SAFEGUARDS_OFF=a,b     the named safeguards are left out: a torture run must then fail
//   PGALTER_LIMITS=name=ms,...     the named limits: a test cannot wait for minutes
//
// A release is linked with no_fail_point.cc instead of fail_point.cc: FailPoint does nothing,
// SafeguardOn is always true, LimitOf is what is usual. All other objects of a release are those
// that the tests ran.
#pragma once

#include <chrono>
#include <string_view>

namespace pgalter::async {

void FailPoint(std::string_view name);
bool SafeguardOn(std::string_view name);
std::chrono::milliseconds LimitOf(std::string_view name, std::chrono::milliseconds usual);

}  // namespace pgalter::async
