#include <algorithm>

#include "planner/sql/newer/rewriting.h"

namespace pgalter::sql::newer {
namespace {

// x IS [NOT] JSON …: read as IS NORMALIZED, a test of a text that is as immutable.
void IsJson(Rewriting& text, std::size_t at) {
  if (!text.Is(at, "json") || at < 2) return;
  if (!text.Is(at - 1, "is") && !(text.Is(at - 1, "not") && text.Is(at - 2, "is"))) return;
  std::size_t end = at + 1;
  if (text.IsAny(end, {"value", "array", "object", "scalar"})) ++end;
  if (text.IsAny(end, {"with", "without"}) && text.Is(end + 1, "unique"))
    end += text.Is(end + 2, "keys") ? 3 : 2;
  text.Found(16, "IS JSON");
  text.Replace(at, end, "NORMALIZED");
}

void AtLocal(Rewriting& text, std::size_t at) {
  if (at == 0 || !text.Are(at, {"at", "local"})) return;
  text.Found(17, "AT LOCAL");
  text.Replace(at, at + 2, "AT TIME ZONE 'UTC'");
}

// What comes after the values of a JSON function.
bool EndsValues(const Rewriting& text, std::size_t at) {
  if (text.IsAny(at, {"returning", "passing", "format", "columns", "keep", "omit"})) return true;
  if (text.IsAny(at, {"null", "absent", "error", "empty", "true", "false", "unknown"}))
    return text.Is(at + 1, "on");
  if (text.IsAny(at, {"with", "without"}))
    return text.IsAny(at + 1, {"unique", "wrapper", "array", "conditional", "unconditional"});
  return text.Is(at, "default");
}

// JSON_OBJECT(k: v ABSENT ON NULL), JSON_VALUE(c, '$.a' RETURNING int): read as calls of functions
// with the values alone.
void JsonCall(Rewriting& text, std::size_t at) {
  const bool constructs =
      text.IsAny(at, {"json_object", "json_array", "json_objectagg", "json_arrayagg"});
  const bool queries = text.IsAny(at, {"json", "json_scalar", "json_serialize", "json_query",
                                       "json_value", "json_exists", "json_table"});
  if ((!constructs && !queries) || !text.Is(at + 1, "(")) return;
  const std::size_t close = text.Partner(at + 1);
  if (close >= text.size()) return;
  const std::size_t depth = text.Depth(at) + 1;
  bool edited = false;
  for (std::size_t word = at + 2; word < close; ++word) {
    if (text.IsAny(word, {"(", "["})) word = std::min(text.Partner(word), close);
    if (word >= close || text.Depth(word) != depth) continue;
    if (EndsValues(text, word)) {
      text.Blank(word, close);
      edited = true;
      break;
    }
    const bool first = text.IsAny(word - 1, {"(", ","});
    const bool between =
        text.Is(word, ":") || (text.Is(word, "value") && !first && !text.Is(word - 1, "."));
    const bool key = text.Is(word, "key") && first && !text.IsAny(word + 1, {",", ")", ":"});
    if (!between && !key) continue;
    text.Replace(word, word + 1, between ? "," : " ");
    edited = true;
  }
  if (edited) text.Found(constructs ? 16 : 17, "a function of SQL/JSON");
}

}  // namespace

std::vector<Form> ExpressionForms() { return {IsJson, AtLocal, JsonCall}; }

}  // namespace pgalter::sql::newer
