// A table's rows in a file, with the checksum of what was written. The bytes depend on the rows and
// their order alone, not on the session's settings, so a second reading can be compared.
#pragma once

#include <cstdint>
#include <string>

#include "engine/run/step_handler.h"

namespace pgalter::partition {

using run::Task;

struct Digest {
  std::string sha256;
  std::int64_t rows = 0;

  bool operator==(const Digest&) const = default;
};

// COPY in text format, of the columns that COPY … FROM takes into a table like the parent of the
// retired one, in its order. In whatever transaction the session is in.
Task<Digest> DigestOf(guard::Session& session, std::string table);

// The same into a file, which is there as a whole or not at all. A file of that name is only
// replaced by the same. Throws run::Failure.
Task<Digest> ExportTo(guard::Session& session, std::string table, std::string path);

// Of a file; empty: it cannot be read.
Task<std::string> Sha256OfFile(std::string path);

// "public.events_p2024_01.copy": what a file's name cannot have is written as %XX.
std::string FileNameOf(const std::string& table);

}  // namespace pgalter::partition
