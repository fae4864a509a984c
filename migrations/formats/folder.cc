#include "migrations/formats/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "migrations/formats/text.h"

namespace pgalter::formats {

namespace fs = std::filesystem;

Folder::Folder(fs::path root, Depth depth) : root_(std::move(root)) {
  std::error_code error;
  const auto none = fs::directory_options::skip_permission_denied;
  const fs::path start = root_.empty() ? fs::path(".") : root_;
  for (fs::recursive_directory_iterator entry(start, none, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      if (depth == Depth::kFlat || name.starts_with('.') || name == "node_modules")
        entry.disable_recursion_pending();
    } else if (!name.starts_with('.') && entry->is_regular_file(ignored)) {
      files_.push_back(entry->path().lexically_relative(start).generic_string());
    }
  }
  if (error) problem_ = error.message();
  std::ranges::sort(files_, NaturalLess);
}

bool Folder::Has(std::string_view file) const {
  const auto found = std::ranges::lower_bound(files_, file, NaturalLess);
  return found != files_.end() && *found == file;
}

std::optional<std::string> Folder::Text(std::string_view file) const {
  if (!Has(file)) return std::nullopt;
  try {
    return ReadWhole(root_ / file);
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

std::string ReadWhole(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error(std::strerror(errno));
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int error = errno;
      ::close(fd);
      if (count < 0) throw std::runtime_error(std::strerror(error));
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace pgalter::formats
