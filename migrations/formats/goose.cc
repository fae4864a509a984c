// goose: "-- +goose Up" and "-- +goose Down" in one file, in one transaction each unless the file
// says NO TRANSACTION. Then each statement is sent by itself, and what stands between
// StatementBegin and StatementEnd as one query.

#include <optional>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

constexpr std::string_view kMark = "+goose";

bool MarksText(std::string_view text) { return HasMark(text, kMark); }

Script Read(const Source& source) {
  Script script;
  bool transaction = true;
  std::vector<lint::Part>* open = nullptr;
  const auto close = [&](std::size_t end) {
    if (open != nullptr) open->back().span.end = end;
  };
  const auto begin = [&](std::size_t at, lint::Sending sending) {
    if (open != nullptr) open->push_back({{at, source.text.size()}, sending});
  };
  Lines lines(source.text);
  while (const auto line = lines.Next()) {
    const auto mark = AfterMark(Cut(source.text, line->span), kMark);
    if (!mark) continue;
    const auto plain = transaction ? lint::Sending::kTransaction : lint::Sending::kOneByOne;
    if (SameWord(*mark, "no transaction")) {
      transaction = false;
    } else if (SameWord(*mark, "up") || SameWord(*mark, "down")) {
      close(line->span.begin);
      open = SameWord(*mark, "up") ? &script.up : &script.down;
      begin(line->next, plain);
    } else if (!transaction && SameWord(*mark, "statementbegin")) {
      close(line->span.begin);
      begin(line->next, lint::Sending::kOneQuery);
    } else if (!transaction && SameWord(*mark, "statementend")) {
      close(line->span.begin);
      begin(line->next, plain);
    }
  }
  // The mark may stand anywhere, also behind those that it is about.
  if (!transaction)
    for (auto* parts : {&script.up, &script.down})
      for (lint::Part& part : *parts)
        if (part.sending == lint::Sending::kTransaction) part.sending = lint::Sending::kOneByOne;
  return script;
}

}  // namespace

extern const Format kGoose;
const Format kGoose{.name = "goose", .marks_text = &MarksText, .read = &Read};

}  // namespace pgalter::formats
