// Rails: structure.sql, the dump of the schema that migrations written in Ruby have led to. It is
// loaded as psql loads it.

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

bool MarksFile(std::string_view path) { return FileName(path) == "structure.sql"; }

bool MarksText(std::string_view text) {
  return text.find("INSERT INTO \"schema_migrations\" (version) VALUES") != std::string_view::npos;
}

}  // namespace

extern const Format kRails;
const Format kRails{.name = "rails", .marks_file = &MarksFile, .marks_text = &MarksText};

}  // namespace pgalter::formats
