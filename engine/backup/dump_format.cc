#include "engine/backup/dump_format.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <stdexcept>

namespace pgalter::backup {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t kBlock = 512;  // of tar
constexpr std::size_t kMagicOfTar = 257;
constexpr std::size_t kLooked = 4096;

std::string Read(const fs::path& path, std::size_t from, std::size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(fmt::format("cannot read {}", path.string()));
  file.seekg(static_cast<std::streamoff>(from));
  std::string text(bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(bytes));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

bool IsCompressed(const std::string& head) {
  constexpr std::array kMagics{"\x1f\x8b"sv, "\xfd\x37zXZ"sv, "\x28\xb5\x2f\xfd"sv,
                               "\x04\x22\x4d\x18"sv};
  for (const std::string_view magic : kMagics)
    if (head.starts_with(magic)) return true;
  return false;
}

}  // namespace

std::string_view Name(DumpFormat format) {
  switch (format) {
    case DumpFormat::kPlain:
      return "plain";
    case DumpFormat::kCluster:
      return "cluster";
    case DumpFormat::kCustom:
      return "custom";
    case DumpFormat::kDirectory:
      return "directory";
    case DumpFormat::kTar:
      return "tar";
    case DumpFormat::kCompressed:
      return "compressed";
    case DumpFormat::kUnknown:
      break;
  }
  return "unknown";
}

DumpFormat FindFormat(const fs::path& path) {
  if (fs::is_directory(path))
    return fs::exists(path / "toc.dat") ? DumpFormat::kDirectory : DumpFormat::kUnknown;
  const std::string head = Read(path, 0, kLooked);
  if (head.starts_with("PGDMP")) return DumpFormat::kCustom;
  if (head.starts_with("toc.dat\0"sv) && head.size() >= kBlock &&
      head.compare(kMagicOfTar, 5, "ustar") == 0)
    return DumpFormat::kTar;
  if (IsCompressed(head)) return DumpFormat::kCompressed;
  if (head.find("-- PostgreSQL database cluster dump") != std::string::npos)
    return DumpFormat::kCluster;
  if (head.find("-- PostgreSQL database dump") != std::string::npos) return DumpFormat::kPlain;
  return DumpFormat::kUnknown;
}

std::string_view LastLine(DumpFormat format) {
  if (format == DumpFormat::kPlain) return "-- PostgreSQL database dump complete";
  if (format == DumpFormat::kCluster) return "-- PostgreSQL database cluster dump complete";
  return "";
}

std::string Tail(const fs::path& path, std::size_t bytes) {
  const std::size_t size = fs::file_size(path);
  return Read(path, size > bytes ? size - bytes : 0, bytes);
}

}  // namespace pgalter::backup
