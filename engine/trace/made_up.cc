#include "engine/trace/made_up.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "planner/sql/identifier.h"

namespace pgalter::trace {

namespace {

struct Maker {
  std::string_view type;
  std::string_view expression;
};

// g is the row's number, from 1. Distinct as far as the type allows.
constexpr std::array kMakers{
    Maker{"smallint", "((g - 1) % 32000 + 1)"},
    Maker{"integer", "g"},
    Maker{"bigint", "g"},
    Maker{"oid", "g"},
    Maker{"real", "g"},
    Maker{"double precision", "g"},
    Maker{"money", "g::numeric"},
    Maker{"boolean", "(g % 2 = 0)"},
    Maker{"text", "('r' || g)"},
    Maker{"name", "('r' || g)"},
    Maker{"citext", "('r' || g)"},
    Maker{"\"char\"", "chr((65 + g % 26)::int)"},
    Maker{"date", "(date '2020-01-01' + (g % 100000)::int)"},
    Maker{"timestamp without time zone", "(timestamp '2020-01-01' + g * interval '1 second')"},
    Maker{"timestamp with time zone", "(timestamptz '2020-01-01 UTC' + g * interval '1 second')"},
    Maker{"time without time zone", "(time '00:00' + g * interval '1 second')"},
    Maker{"time with time zone", "(timetz '00:00 UTC' + g * interval '1 second')"},
    Maker{"interval", "(g * interval '1 second')"},
    Maker{"uuid", "md5(g::text)::uuid"},
    Maker{"json", "json_build_object('n', g)"},
    Maker{"jsonb", "jsonb_build_object('n', g)"},
    Maker{"bytea", "decode(md5(g::text), 'hex')"},
    Maker{"inet", "(inet '10.0.0.0' + g)"},
    Maker{"cidr", "set_masklen(inet '10.0.0.0' + g, 32)::cidr"},
    Maker{"macaddr", "left(md5(g::text), 12)::macaddr"},
    Maker{"macaddr8", "left(md5(g::text), 16)::macaddr8"},
    Maker{"xml", "('<r>' || g || '</r>')::xml"},
    Maker{"tsvector", "to_tsvector('simple', 'w' || g)"},
    Maker{"tsquery", "('w' || g)::tsquery"},
    Maker{"point", "point(g, g)"},
    Maker{"box", "box(point(g, g), point(g + 1, g + 1))"},
    Maker{"circle", "circle(point(g, g), 1)"},
    Maker{"lseg", "lseg(point(g, g), point(g + 1, g + 1))"},
    Maker{"polygon", "polygon(box(point(g, g), point(g + 1, g + 1)))"},
    Maker{"path", "path(polygon(box(point(g, g), point(g + 1, g + 1))))"},
    Maker{"pg_lsn", "(pg_lsn '0/1' + g)"},
    Maker{"int4range", "int4range(g::int, g::int + 1)"},
    Maker{"int8range", "int8range(g, g + 1)"},
    Maker{"numrange", "numrange(g, g + 1)"},
    Maker{"daterange",
          "daterange(date '2020-01-01' + (g % 100000)::int, date '2020-01-02' + (g % "
          "100000)::int)"},
    Maker{"tsrange",
          "tsrange(timestamp '2020-01-01' + g * interval '1 second', timestamp "
          "'2020-01-01' + (g + 1) * interval '1 second')"},
    Maker{"tstzrange",
          "tstzrange(timestamptz '2020-01-01 UTC' + g * interval '1 second', "
          "timestamptz '2020-01-01 UTC' + (g + 1) * interval '1 second')"},
    Maker{"hstore", "hstore('n', g::text)"},
    Maker{"ltree", "('n' || g)::ltree"},
};

constexpr int kHeader = 4;  // of a type modifier

bool IsNumber(const std::string& base) {
  return base == "smallint" || base == "integer" || base == "bigint" || base == "numeric" ||
         base == "real" || base == "double precision";
}
bool IsText(const std::string& base) {
  return base == "text" || base == "character varying" || base == "character" || base == "citext";
}
bool IsTime(const std::string& base) { return base == "date" || base.starts_with("timestamp"); }

// A g by itself is the row's number.
std::string WithRowNumber(std::string_view expression) {
  std::string text;
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const bool alone = expression[i] == 'g' && (i == 0 || !is_word(expression[i - 1])) &&
                       (i + 1 == expression.size() || !is_word(expression[i + 1]));
    text += alone ? "\"~g\"" : std::string(1, expression[i]);
  }
  return text;
}

std::optional<std::string> ScalarValue(const MadeColumn& column) {
  const std::string& base = column.base;
  const int length = column.modifier - kHeader;
  if (column.kind == 'e')
    return fmt::format("(enum_range(NULL::{0}))[1 + \"~g\" % cardinality(enum_range(NULL::{0}))]",
                       base);
  if (base == "character varying" || base == "character")
    return length > 0 ? fmt::format("right('r' || \"~g\", {})", length)
                      : std::string("('r' || \"~g\")");
  if (base == "numeric") {
    if (length < 0) return "\"~g\"::numeric";
    const int whole = (length >> 16) - (length & 0x7ff);
    return whole <= 0 ? std::string("0") : fmt::format("\"~g\"::numeric % 1e{}", whole);
  }
  if (base == "bit" || base == "bit varying")
    return fmt::format("\"~g\"::bigint::bit({})", column.modifier > 0 ? column.modifier : 64);
  const auto* const maker = std::ranges::find(kMakers, base, &Maker::type);
  if (maker == kMakers.end()) return std::nullopt;
  return WithRowNumber(maker->expression);
}

constexpr std::size_t kMostCandidates = 40;
constexpr std::size_t kMostCombinations = 2000;

void AddForNumber(const std::string& number, const MadeColumn& column,
                  std::vector<std::string>& candidates) {
  if (IsNumber(column.base)) {
    candidates.push_back(
        fmt::format("{} + (\"~g\" - 1) % {}", number, column.base == "smallint" ? 100 : 1'000'000));
    for (const char* const delta : {"", " + 1", " - 1"}) candidates.push_back(number + delta);
  } else if (IsText(column.base) && number.size() <= 3 && number.find('.') == std::string::npos) {
    candidates.push_back(fmt::format("lpad(\"~g\"::text, {}, '0')", number));
    candidates.push_back(fmt::format("repeat('x', {})", number));
  }
}

void AddForString(const std::string& text, const MadeColumn& column,
                  std::vector<std::string>& candidates) {
  const std::string literal = sql::QuoteLiteral(text);
  const bool starts_with_digit = !text.empty() && std::isdigit(static_cast<unsigned char>(text[0]));
  if (IsText(column.base)) {
    candidates.push_back(literal);
  } else if (IsTime(column.base)) {
    if (!starts_with_digit || text.find('-') == std::string::npos) return;
    const bool is_date = column.base == "date";
    const char* const unit = is_date ? "1 day" : "1 second";
    candidates.push_back(fmt::format("{}::{} + (\"~g\" - 1) * interval '{}'", literal,
                                     is_date ? "timestamp" : column.base, unit));
    candidates.push_back(literal);
    candidates.push_back(
        fmt::format("{}::{} - interval '{}'", literal, is_date ? "timestamp" : column.base, unit));
  } else if (IsNumber(column.base)) {
    if (starts_with_digit || text.starts_with('-'))
      AddForNumber(literal + "::numeric", column, candidates);
  } else if (column.base == "uuid") {
    constexpr std::size_t kUuid = 36;
    if (text.size() == kUuid) candidates.push_back(literal);
  }
}

// What a column that conditions speak of may hold, the plain value first.
std::vector<std::string> Candidates(const MadeColumn& column, const MadeTable& table) {
  std::vector<std::string> candidates;
  if (column.from_parent) return {*column.from_parent};
  if (const auto value = MadeValue(column)) candidates.push_back(*value);
  if (!column.array) {
    // Distinct ones before constants: a key may be on the column.
    if (IsText(column.base))
      candidates.insert(candidates.end(),
                        {"'a' || \"~g\" || '@example.com'", "'https://example.com/' || \"~g\"",
                         "\"~g\"::text", "upper('R' || \"~g\")"});
    if (column.base == "boolean") candidates.insert(candidates.end(), {"true", "false"});
    if (column.kind == 'e')
      candidates.push_back(fmt::format("(enum_range(NULL::{}))[1]", column.base));
    for (const std::string& condition : table.conditions) {
      if (!Mentions(condition, column.name)) continue;
      const Literals literals = LiteralsIn(condition);
      for (const std::string& number : literals.numbers) AddForNumber(number, column, candidates);
      for (const std::string& text : literals.strings) AddForString(text, column, candidates);
      if (column.kind == 'e')
        for (const std::string& text : literals.strings)
          candidates.push_back(sql::QuoteLiteral(text));
    }
    if (IsText(column.base)) candidates.insert(candidates.end(), {"'abc'", "''"});
    if (IsNumber(column.base)) candidates.insert(candidates.end(), {"0", "1", "-1"});
  }
  if (column.nullable) candidates.emplace_back("NULL");
  if (candidates.size() > kMostCandidates) candidates.resize(kMostCandidates);
  return candidates;
}

bool IsSpokenOf(const MadeColumn& column, const MadeTable& table) {
  return std::ranges::any_of(table.conditions, [&](const std::string& condition) {
    return Mentions(condition, column.name);
  });
}

// A row source of one column with all that it may hold.
std::string ValuesOf(const std::string& column, const std::string& type,
                     const std::vector<std::string>& candidates) {
  std::vector<std::string> rows;
  rows.reserve(candidates.size());
  for (const std::string& candidate : candidates)
    rows.push_back(fmt::format("(({})::{})", candidate, type));
  return fmt::format("(VALUES {}) AS {} ({})", fmt::join(rows, ", "),
                     sql::QuoteIdentifier("~v " + column), sql::QuoteIdentifier(column));
}

struct Choice {
  const MadeColumn* column = nullptr;
  std::vector<std::string> candidates;
};

// Columns that conditions join, and these: found together, apart from all others.
struct Search {
  std::vector<Choice> choices;
  std::vector<std::string> conditions;
};

// Every row tries them all against each other in the worst case.
void Bound(std::vector<Choice>& choices) {
  const auto product = [&] {
    std::size_t all = 1;
    for (const Choice& choice : choices) all *= std::max<std::size_t>(choice.candidates.size(), 1);
    return all;
  };
  while (product() > kMostCombinations) {
    auto longest = std::ranges::max_element(
        choices, {}, [](const Choice& choice) { return choice.candidates.size(); });
    longest->candidates.erase(longest->candidates.end() - 1);
  }
}

bool Concerns(const std::string& condition, const Search& search) {
  return std::ranges::any_of(search.choices, [&](const Choice& choice) {
    return Mentions(condition, choice.column->name);
  });
}

// A condition makes one search of all whose columns it speaks of.
std::vector<Search> Searches(std::vector<Choice> choices,
                             const std::vector<std::string>& conditions) {
  std::vector<Search> searches;
  for (Choice& choice : choices) {
    searches.emplace_back();
    searches.back().choices.push_back(std::move(choice));
  }
  for (const std::string& condition : conditions) {
    Search joined;
    std::vector<Search> apart;
    for (Search& search : searches) {
      if (!Concerns(condition, search)) {
        apart.push_back(std::move(search));
        continue;
      }
      std::ranges::move(search.choices, std::back_inserter(joined.choices));
      std::ranges::move(search.conditions, std::back_inserter(joined.conditions));
    }
    searches = std::move(apart);
    if (joined.choices.empty()) continue;
    joined.conditions.push_back(condition);
    searches.push_back(std::move(joined));
  }
  for (Search& search : searches) Bound(search.choices);
  return searches;
}

std::string SearchText(const Search& search, std::size_t number) {
  std::vector<std::string> sources;
  std::vector<std::string> names;
  for (const Choice& choice : search.choices) {
    sources.push_back(ValuesOf(choice.column->name, choice.column->type, choice.candidates));
    names.push_back(sql::QuoteIdentifier(choice.column->name));
  }
  return fmt::format(
      " CROSS JOIN LATERAL (SELECT {} FROM {} WHERE ({}) IS NOT FALSE LIMIT 1) AS \"~s{}\"",
      fmt::join(names, ", "), fmt::join(sources, ", "),
      fmt::join(search.conditions, ") IS NOT FALSE AND ("), number);
}

}  // namespace

std::optional<std::string> MadeValue(const MadeColumn& column) {
  if (column.from_parent) return column.from_parent;
  const auto value = ScalarValue(column);
  if (!value || !column.array) return value;
  return fmt::format("ARRAY[{}]", *value);
}

Literals LiteralsIn(std::string_view text) {
  Literals literals;
  const auto is_word = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_');
  };
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      i = std::min(text.find('"', i + 1), text.size() - 1) + 1;
    } else if (text[i] == '\'') {
      std::string value;
      for (++i; i < text.size(); ++i) {
        if (text[i] == '\'' && (i + 1 == text.size() || text[i + 1] != '\'')) break;
        if (text[i] == '\'') ++i;
        value += text[i];
      }
      ++i;
      literals.strings.push_back(std::move(value));
    } else if (std::isdigit(static_cast<unsigned char>(text[i])) && (i == 0 || !is_word(i - 1))) {
      const std::size_t begin = i;
      while (is_word(i) || (i < text.size() && text[i] == '.')) ++i;
      literals.numbers.emplace_back(text.substr(begin, i - begin));
    } else {
      ++i;
    }
  }
  return literals;
}

// The server quotes fewer names than we would, so the name is looked for as it is.
bool Mentions(std::string_view expression, const std::string& column) {
  const auto is_word = [&](std::size_t i) {
    return i < expression.size() &&
           (std::isalnum(static_cast<unsigned char>(expression[i])) || expression[i] == '_');
  };
  for (std::size_t at = expression.find(column); at != std::string_view::npos;
       at = expression.find(column, at + 1))
    if ((at == 0 || !is_word(at - 1)) && !is_word(at + column.size())) return true;
  return false;
}

MadeInsert InsertInto(const MadeTable& table, std::int64_t rows) {
  MadeInsert insert;
  std::vector<std::string> names;
  std::vector<std::string> plain;
  std::vector<Choice> choices;
  for (const MadeColumn& column : table.columns) {
    if (IsSpokenOf(column, table)) {
      choices.push_back({&column, Candidates(column, table)});
      if (choices.back().candidates.empty()) insert.unfilled.push_back(column.name);
      names.push_back(sql::QuoteIdentifier(column.name));
      plain.push_back(sql::QuoteIdentifier(column.name));
      continue;
    }
    const auto value = MadeValue(column);
    if (!value && !column.nullable) insert.unfilled.push_back(column.name);
    if (!value) continue;
    names.push_back(sql::QuoteIdentifier(column.name));
    plain.push_back(fmt::format("({})::{}", *value, column.type));
  }
  if (!insert.unfilled.empty()) return insert;
  if (names.empty()) {
    insert.sql = fmt::format("INSERT INTO {} DEFAULT VALUES", table.name);
    return insert;
  }
  std::string search;
  std::size_t number = 0;
  for (const Search& each : Searches(std::move(choices), table.conditions))
    search += SearchText(each, number++);
  insert.sql = fmt::format(
      "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM generate_series(1, {}) AS "
      "\"~r\" (\"~g\"){}{} ON CONFLICT DO NOTHING",
      table.name, fmt::join(names, ", "), fmt::join(plain, ", "), rows, table.joins, search);
  return insert;
}

}  // namespace pgalter::trace
