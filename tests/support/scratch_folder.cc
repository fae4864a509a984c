#include "tests/support/scratch_folder.h"

#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace pgalter::test {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "pgalter-scratch-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder " + name);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string ScratchFolder::File(const std::string& text, const std::string& extension) {
  const fs::path file = path_ / (std::to_string(++number_) + extension);
  std::ofstream(file) << text;
  return file;
}

ScratchFolder& SharedFolder() {
  static ScratchFolder folder;
  return folder;
}

}  // namespace pgalter::test
