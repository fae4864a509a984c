// A folder for the files that a test gives to the program, removed with its object.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace pgalter::test {

class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // A new file with this text; its path.
  std::string File(const std::string& text, const std::string& extension = ".sql");

 private:
  std::filesystem::path path_;
  int number_ = 0;
};

// Of this process, for files whose tests do not say when they end.
ScratchFolder& SharedFolder();

}  // namespace pgalter::test
