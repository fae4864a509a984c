// pgalter.toml: connections by name, so that scripts say --env staging.
//
//   [env.staging]
//   dsn = "service=staging"
#pragma once

#include <string>

namespace pgalter::cli {

inline constexpr const char* kDefaultConfig = "pgalter.toml";

// The dsn of an environment. `path` empty: pgalter.toml in the working directory. Throws Rejected
// (usage): no such file, no such environment, a key that nobody reads.
std::string DsnOfEnvironment(const std::string& path, const std::string& environment);

}  // namespace pgalter::cli
