#pragma once

// A file's place as the formats of code hosts want it.

#include <string>
#include <string_view>

namespace pgalter::lint {

// Forward slashes, without "./" in front.
[[nodiscard]] std::string HostPath(std::string_view path);

// The same as a URI reference: percent-encoded; an absolute path as file:///….
[[nodiscard]] std::string FileUri(std::string_view path);

[[nodiscard]] constexpr bool IsAbsolute(std::string_view path) { return path.starts_with('/'); }

}  // namespace pgalter::lint
