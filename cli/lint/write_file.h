// Replaces a file as a whole: it has the old text or the new one, never half of it.
#pragma once

#include <filesystem>
#include <string_view>

namespace pgalter::cli {

// Through links, and with the rights that the file has. What is no file, such as /dev/stdout, is
// written to. Throws Rejected (error).
void WriteFile(const std::filesystem::path& path, std::string_view text);

}  // namespace pgalter::cli
