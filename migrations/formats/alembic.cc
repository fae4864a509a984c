// What Alembic's offline mode (--sql) prints: "-- Running upgrade a -> b" before each revision, and
// BEGIN and COMMIT where it would begin and commit. So it is read as it stands.

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

constexpr std::string_view kUp = "Running upgrade";
constexpr std::string_view kDown = "Running downgrade";

bool MarksText(std::string_view text) { return HasMark(text, kUp) || HasMark(text, kDown); }

// One run of Alembic goes one way only.
Script Read(const Source& source) {
  Script script = Whole(source.text, lint::Sending::kOneByOne);
  if (!HasMark(source.text, kUp)) std::swap(script.up, script.down);
  return script;
}

}  // namespace

extern const Format kAlembic;
const Format kAlembic{.name = "alembic", .marks_text = &MarksText, .read = &Read};

}  // namespace pgalter::formats
