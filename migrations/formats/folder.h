#pragma once

// What is in a directory of migrations: names now, texts when they are asked for.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::formats {

enum class Depth { kFlat, kDeep };

class Folder {
 public:
  // Without a directory: nothing is in it.
  Folder() = default;
  // What cannot be listed is not in it; problem() says why. Hidden files and directories,
  // node_modules and what lies behind links to directories are left out.
  Folder(std::filesystem::path root, Depth depth);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  // Paths from the root, in natural order.
  [[nodiscard]] const std::vector<std::string>& files() const { return files_; }
  [[nodiscard]] bool Has(std::string_view file) const;
  // The text of a file in it, if it is there and can be read.
  [[nodiscard]] std::optional<std::string> Text(std::string_view file) const;
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::filesystem::path root_;
  std::vector<std::string> files_;
  std::string problem_;
};

// Throws std::runtime_error with the reason.
[[nodiscard]] std::string ReadWhole(const std::filesystem::path& path);

}  // namespace pgalter::formats
