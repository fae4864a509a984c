// What kind of dump a file is, by its contents: a name says nothing, and the wrong program restores
// nothing without saying much (pg_restore of a plain dump, psql of a custom one).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pgalter::backup {

enum class DumpFormat {
  kPlain,       // pg_dump: SQL, for psql
  kCluster,     // pg_dumpall: SQL with the roles
  kCustom,      // pg_dump -Fc
  kDirectory,   // pg_dump -Fd
  kTar,         // pg_dump -Ft
  kCompressed,  // by gzip, xz, zstd or lz4, around one of these
  kUnknown,
};

std::string_view Name(DumpFormat format);

// Reads a few kB. Throws std::runtime_error: it cannot be read.
DumpFormat FindFormat(const std::filesystem::path& path);

// The last line of a plain dump that came to its end. Empty for the other formats, whose own
// directory shows it.
std::string_view LastLine(DumpFormat format);

// What a file has at its end, up to so many bytes.
std::string Tail(const std::filesystem::path& path, std::size_t bytes);

}  // namespace pgalter::backup
