// Only what the server refuses for certain: a text that a type does not read, or a type that no
// cast leads from by assignment.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>

#include "planner/locks/allowed.h"
#include "planner/locks/types.h"

namespace pgalter::locks {
namespace {

using Kind = ast::Constant::Kind;

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool IsInteger(std::string_view type) { return IsOneOf(type, {"int2", "int4", "int8"}); }

bool IsNumber(std::string_view type) {
  return IsInteger(type) || IsOneOf(type, {"numeric", "float4", "float8", "money", "oid"});
}

bool IsText(std::string_view type) {
  return IsOneOf(type, {"text", "varchar", "bpchar", "char", "name", "citext"});
}

bool IsOfTime(std::string_view type) {
  return IsOneOf(type, {"date", "time", "timetz", "timestamp", "timestamptz"});
}

// Of the server's own, and of a kind that nothing but its own casts lead to.
bool IsClosed(std::string_view type) {
  return IsOfTime(type) ||
         IsOneOf(type, {"bool", "uuid", "json", "jsonb", "interval", "bytea", "inet", "cidr"});
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r\f\v";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Newer servers read 0x10 and 1_000 as well: such a text is passed over.
bool ReadsAsInteger(std::string_view text, std::string_view type) {
  text = Trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.find_first_of("xXoObB_") != std::string_view::npos && text.size() > 1 &&
      std::ranges::any_of(text, IsDigit))
    return true;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (type == "int2")
    return value >= std::numeric_limits<std::int16_t>::min() &&
           value <= std::numeric_limits<std::int16_t>::max();
  if (type == "int4")
    return value >= std::numeric_limits<std::int32_t>::min() &&
           value <= std::numeric_limits<std::int32_t>::max();
  return true;
}

// Any beginning of these words; "o" alone could be on or off.
bool ReadsAsBoolean(std::string_view text) {
  const std::string word = Lower(Trim(text));
  if (word.empty() || word == "o") return false;
  if (word == "1" || word == "0" || word == "on" || word == "off" || word == "of") return true;
  for (const std::string_view whole : {"true", "false", "yes", "no"})
    if (whole.starts_with(word)) return true;
  return false;
}

bool ReadsAsUuid(std::string_view text) {
  int digits = 0;
  for (const char c : text) {
    const char lower = static_cast<char>(c | 0x20);
    if (IsDigit(c) || (lower >= 'a' && lower <= 'f')) {
      ++digits;
    } else if (c != '-' && c != '{' && c != '}') {
      return false;
    }
  }
  return digits == 32;
}

// Only what cannot be a moment in any style of writing one.
bool MayReadAsTime(std::string_view text) {
  if (std::ranges::any_of(text, IsDigit)) return true;
  const std::string word = Lower(Trim(text));
  return IsOneOf(word, {"now", "today", "tomorrow", "yesterday", "epoch", "infinity", "-infinity",
                        "+infinity", "allballs"});
}

bool MayReadAsNumber(std::string_view text) {
  if (std::ranges::any_of(text, IsDigit)) {
    return std::ranges::none_of(text, [](char c) {
      const char lower = static_cast<char>(c | 0x20);
      return lower >= 'g' && lower <= 'z' && lower != 'x' && lower != 'o';
    });
  }
  const std::string word = Lower(Trim(text));
  return IsOneOf(word, {"nan", "inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"});
}

bool MayReadAsJson(std::string_view text) {
  text = Trim(text);
  if (text.empty()) return false;
  const char first = text.front();
  if (first == '{' || first == '[' || first == '"' || first == '-' || IsDigit(first)) return true;
  return IsOneOf(text, {"true", "false", "null"});
}

// Whether a string may be read as a value of the type; of types that are not known here it may.
bool MayRead(const std::string& text, const ast::TypeName& type, const catalog::Schema& schema) {
  if (type.array_dimensions > 0) {
    const std::string_view trimmed = Trim(text);
    return trimmed.starts_with('{') || trimmed.starts_with('[');
  }
  if (const catalog::Type* known = schema.FindType(type))
    return known->shape != ast::CreateType::Shape::kEnum || known->values.empty() ||
           std::ranges::find(known->values, text) != known->values.end();
  if (!type.schema.empty()) return true;
  if (IsInteger(type.name)) return ReadsAsInteger(text, type.name);
  if (type.name == "bool") return ReadsAsBoolean(text);
  if (type.name == "uuid") return ReadsAsUuid(text);
  if (IsOneOf(type.name, {"date", "timestamp", "timestamptz"})) return MayReadAsTime(text);
  if (IsOneOf(type.name, {"numeric", "float4", "float8"})) return MayReadAsNumber(text);
  if (IsOneOf(type.name, {"json", "jsonb"})) return MayReadAsJson(text);
  return true;
}

// Whether a value of this type is stored in a column of that one without a cast being written.
bool MayBeAssigned(std::string_view from, const ast::TypeName& to, const catalog::Schema& schema) {
  if (to.array_dimensions > 0) return false;
  if (schema.FindType(to) != nullptr) return false;
  if (!to.schema.empty() || IsText(to.name)) return true;
  if (IsNumber(from)) return !IsClosed(to.name) && to.name != "xml";
  if (from == "bool") return !IsNumber(to.name) && (!IsClosed(to.name) || to.name == "bool");
  if (from == "uuid") return !IsNumber(to.name) && (!IsClosed(to.name) || to.name == "uuid");
  if (IsOfTime(from))
    return !IsNumber(to.name) && !IsOneOf(to.name, {"bool", "uuid", "json", "jsonb", "bytea"});
  if (IsText(from)) return !IsNumber(to.name) && !IsClosed(to.name);
  return true;
}

// The type of what the server's own function gives; empty: not known here.
std::string_view ResultOf(const FunctionUse& use) {
  if (use.name.empty() || use.name.size() > 2 ||
      (use.name.size() == 2 && use.name.front() != "pg_catalog"))
    return {};
  const std::string_view called = use.name.back();
  if (IsOneOf(called, {"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp",
                       "current_timestamp"}))
    return "timestamptz";
  if (called == "current_date") return "date";
  if (IsOneOf(called, {"gen_random_uuid", "uuid_generate_v4"})) return "uuid";
  if (called == "nextval") return "int8";
  if (called == "random") return "float8";
  return {};
}

std::string_view TypeOf(const ast::Constant& constant) {
  switch (constant.kind) {
    case Kind::kInteger:
      return "int4";
    case Kind::kDecimal:
      return "numeric";
    case Kind::kBoolean:
      return "bool";
    case Kind::kString:
    case Kind::kBits:
      break;
  }
  return {};
}

// What a migration tool, psql or a computed text will put there is not known.
bool HasPlaceholder(std::string_view text) {
  return text.starts_with('_') || text.find("__computed") != std::string_view::npos ||
         text.find_first_of("$%") != std::string_view::npos ||
         text.find("{{") != std::string_view::npos;
}

// A type that the server or an extension has, of which every cast is known here.
bool IsJudged(const ast::TypeName& type, const catalog::Schema& schema) {
  if (ast::IsSerial(type)) return false;
  const catalog::Type* known = schema.FindType(type);
  if (known != nullptr) return known->shape == ast::CreateType::Shape::kEnum;
  return type.schema.empty() && IsWellKnown(type);
}

std::optional<std::string> WhyUnfit(const ast::Expression& value, const ast::TypeName& type,
                                    const catalog::Schema& schema) {
  const auto cannot_be = [&](std::string_view what) {
    return std::string(what) + " is no " + ToString(type);
  };
  if (value.call) {
    const std::string_view given = ResultOf(*value.call);
    if (given.empty() || schema.functions().contains(value.call->name.back())) return std::nullopt;
    if (MayBeAssigned(given, type, schema)) return std::nullopt;
    return cannot_be(value.call->name.back() + "(), of type " + std::string(given) + ",");
  }
  if (!value.constant) return std::nullopt;
  const ast::Constant& constant = *value.constant;
  if (constant.kind == Kind::kString) {
    if (HasPlaceholder(constant.text)) return std::nullopt;
    const ast::TypeName read_as =
        constant.casts.empty() ? type : BaseOf(constant.casts.front(), schema);
    if (IsJudged(read_as, schema) && !MayRead(constant.text, read_as, schema))
      return "'" + constant.text + "' is no " + ToString(read_as);
    if (constant.casts.empty()) return std::nullopt;
    const ast::TypeName cast = BaseOf(constant.casts.back(), schema);
    const bool text = cast.array_dimensions == 0 && cast.schema.empty() && IsText(cast.name);
    if (!text || MayBeAssigned(cast.name, type, schema)) return std::nullopt;
    return cannot_be("'" + constant.text + "', a " + ToString(cast) + ",");
  }
  const std::string_view given = TypeOf(constant);
  if (given.empty() || !constant.casts.empty() || MayBeAssigned(given, type, schema))
    return std::nullopt;
  return cannot_be(constant.text);
}

}  // namespace

void RefuseUnfitDefault(const ast::Expression& value, const ast::TypeName& type,
                        const std::string& column, Draft& draft) {
  const ast::TypeName base = BaseOf(type, draft.schema());
  if (!IsJudged(base, draft.schema())) return;
  if (const auto why = WhyUnfit(value, base, draft.schema()))
    draft.Refuse(Refusal::kOther, column, *why + ": it cannot be the default of " + column);
}

}  // namespace pgalter::locks
