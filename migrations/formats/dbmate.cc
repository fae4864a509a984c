// dbmate: "-- migrate:up" and "-- migrate:down" in one file, any number of times. A part is sent as
// one query in a transaction of the tool's; with transaction:false as one query, so that several
// statements are a transaction all the same.

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

constexpr std::string_view kUp = "migrate:up";
constexpr std::string_view kDown = "migrate:down";

bool MarksText(std::string_view text) { return HasMark(text, kUp) || HasMark(text, kDown); }

lint::Sending SendingOf(std::string_view options) {
  for (const std::string& word : Words(options))
    if (SameWord(word, "transaction:false")) return lint::Sending::kOneQuery;
  return lint::Sending::kTransaction;
}

Script Read(const Source& source) {
  Script script;
  std::vector<lint::Part>* open = nullptr;
  Lines lines(source.text);
  while (const auto line = lines.Next()) {
    const auto text = Cut(source.text, line->span);
    const auto up = AfterMark(text, kUp);
    const auto down = up ? std::nullopt : AfterMark(text, kDown);
    if (!up && !down) continue;
    if (open != nullptr) open->back().span.end = line->span.begin;
    open = up ? &script.up : &script.down;
    open->push_back({{line->next, source.text.size()}, SendingOf(up ? *up : *down)});
  }
  return script;
}

}  // namespace

extern const Format kDbmate;
const Format kDbmate{.name = "dbmate", .marks_text = &MarksText, .read = &Read};

}  // namespace pgalter::formats
