#include "tests/support/small_disk.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace pgalter::test {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void Throw(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string Size(std::int64_t bytes) { return fmt::format("size={}", bytes); }

std::string Refusal(const char* what) {
  return fmt::format("a small disk cannot be made: {}: {}; it needs root and CAP_SYS_ADMIN", what,
                     std::strerror(errno));
}

}  // namespace

SmallDisk::SmallDisk(std::int64_t bytes) {
  std::string name = fs::temp_directory_path() / "pgalter-disk-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) Throw(name);
  path_ = name;
  if (::unshare(CLONE_NEWNS) != 0) {
    problem_ = Refusal("unshare");
  } else if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
             ::mount("tmpfs", name.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, Size(bytes).c_str()) !=
                 0) {
    problem_ = Refusal("mount");
  }
}

SmallDisk::~SmallDisk() {
  if (problem_.empty()) ::umount2(path_.c_str(), MNT_DETACH);
  ::rmdir(path_.c_str());
}

void SmallDisk::GiveToOwnerOf(const fs::path& other) const {
  struct stat owner {};
  if (::stat(other.c_str(), &owner) != 0) Throw(other);
  if (::chown(path_.c_str(), owner.st_uid, owner.st_gid) != 0) Throw(path_);
}

void SmallDisk::Resize(std::int64_t bytes) const {
  if (::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_NOSUID | MS_NODEV,
              Size(bytes).c_str()) != 0)
    Throw(path_);
}

std::int64_t SmallDisk::used() const {
  struct statvfs now {};
  if (::statvfs(path_.c_str(), &now) != 0) Throw(path_);
  return static_cast<std::int64_t>((now.f_blocks - now.f_bfree) * now.f_frsize);
}

}  // namespace pgalter::test
