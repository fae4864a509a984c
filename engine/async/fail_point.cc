#include "engine/async/fail_point.h"

#include <csignal>
#include <cstdlib>
#include <string>

namespace pgalter::async {

namespace {

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

void FailPoint(std::string_view name) {
  std::string_view wanted = Environment("PGALTER_FAIL_POINT");
  if (wanted.empty()) return;
  long nth = 1;
  if (const auto colon = wanted.rfind(':'); colon != std::string_view::npos) {
    nth = std::strtol(wanted.data() + colon + 1, nullptr, 10);
    wanted = wanted.substr(0, colon);
  }
  static long passed = 0;
  if (wanted == name && ++passed == nth) std::raise(SIGKILL);
}

bool SafeguardOn(std::string_view name) {
  const std::string off = "," + std::string(Environment("PGALTER_SAFEGUARDS_OFF")) + ",";
  return off.find("," + std::string(name) + ",") == std::string::npos;
}

std::chrono::milliseconds LimitOf(std::string_view name, std::chrono::milliseconds usual) {
  const std::string limits = "," + std::string(Environment("PGALTER_LIMITS"));
  const std::string key = "," + std::string(name) + "=";
  const auto found = limits.find(key);
  if (found == std::string::npos) return usual;
  return std::chrono::milliseconds(std::strtol(limits.c_str() + found + key.size(), nullptr, 10));
}

}  // namespace pgalter::async
