// Our own: a header of "-- key: value" lines, then sections that begin with "-- pgalter:NAME"
// (own_file.h). `up` and `contract` are the way up, as is what stands before the first of them;
// `down` is the way down; the others have no statements, or only ask. Each statement is sent by
// itself, unless the header says `transaction: single`.

#include "migrations/formats/format.h"
#include "migrations/formats/own_file.h"

namespace pgalter::formats {
namespace {

bool MarksText(std::string_view text) { return IsOwnFile(text); }

Script Read(const Source& source) {
  const OwnFile file = ReadOwnFile(source.text);
  const auto sending = file.Header("transaction") == "single" ? lint::Sending::kTransaction
                                                              : lint::Sending::kOneByOne;
  Script script;
  for (const Section& section : file.sections) {
    if (section.kind == SectionKind::kUp || section.kind == SectionKind::kContract)
      script.up.push_back({section.body, sending});
    if (section.kind == SectionKind::kDown) script.down.push_back({section.body, sending});
  }
  // No part at all would be the whole file.
  if (script.up.empty()) script.up.push_back({{0, 0}, sending});
  return script;
}

}  // namespace

extern const Format kOwn;
const Format kOwn{.name = "pgalter", .marks_text = &MarksText, .read = &Read, .own_text = true};

}  // namespace pgalter::formats
