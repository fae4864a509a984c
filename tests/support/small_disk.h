// A file system of a given size, to be filled: a tmpfs. It needs root, and a kernel that lets it
// mount; elsewhere `problem` says why there is none, and the test skips itself.
//
// It is mounted in a mount namespace that this thread and what it starts from then on have to
// themselves: it goes with them, even after kill -9. End the server on it first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace pgalter::test {

class [[nodiscard]] SmallDisk {
 public:
  explicit SmallDisk(std::int64_t bytes);
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk();

  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void GiveToOwnerOf(const std::filesystem::path& other) const;
  void Resize(std::int64_t bytes) const;
  [[nodiscard]] std::int64_t used() const;

 private:
  std::filesystem::path path_;
  std::string problem_;
};

}  // namespace pgalter::test
