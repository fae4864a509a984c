// Our own: a header of "-- key: value" lines, then sections that begin with "-- pgalter:NAME".
// `up`, `expand` and `contract` are the way up, as is what stands before the first of them; `down`
// is the way down; `verify` and `down-verify` only ask. Each statement is sent by itself, unless
// the header says `transaction: single`.

#include <algorithm>
#include <array>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kMark = "pgalter:";
constexpr std::array kSections{"up"sv,   "expand"sv, "contract"sv,
                               "down"sv, "verify"sv, "down-verify"sv};

// The section that a line begins; not every mark begins one: ignore is a note to lint.
std::string_view SectionOf(std::string_view line) {
  const auto rest = AfterMark(line, kMark);
  if (!rest) return {};
  const auto name = rest->substr(0, rest->find_first_of(" \t"));
  const auto found = std::ranges::find(kSections, name);
  return found == kSections.end() ? std::string_view{} : *found;
}

bool MarksText(std::string_view text) {
  if (!HasMark(text, kMark)) return false;
  Lines lines(text);
  while (const auto line = lines.Next()) {
    const auto here = Cut(text, line->span);
    if (!SectionOf(here).empty() || AfterMark(here, kMark) == "1") return true;
  }
  return false;
}

bool MarksFolder(const Folder& folder) { return folder.Has("pgalter.sum"); }

Script Read(const Source& source) {
  Script script;
  auto sending = lint::Sending::kOneByOne;
  bool header = true;
  script.up.push_back({{0, source.text.size()}, sending});
  std::vector<lint::Part>* open = &script.up;
  Lines lines(source.text);
  while (const auto line = lines.Next()) {
    const auto text = Cut(source.text, line->span);
    const auto section = SectionOf(text);
    header = header && section.empty() && (Trim(text).empty() || AfterMark(text, ""));
    const auto transaction = header ? AfterMark(text, "transaction:") : std::nullopt;
    if (transaction && SameWord(*transaction, "single")) sending = lint::Sending::kTransaction;
    if (section.empty()) continue;
    if (open != nullptr) open->back().span.end = line->span.begin;
    open = section == "down" ? &script.down : section.ends_with("verify") ? nullptr : &script.up;
    if (open != nullptr) open->push_back({{line->next, source.text.size()}, sending});
  }
  for (auto* parts : {&script.up, &script.down})
    for (lint::Part& part : *parts) part.sending = sending;
  return script;
}

}  // namespace

extern const Format kOwn;
const Format kOwn{
    .name = "pgalter", .marks_folder = &MarksFolder, .marks_text = &MarksText, .read = &Read};

}  // namespace pgalter::formats
