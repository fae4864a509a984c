#include "batcher/partition/key_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "batcher/partition/lookup.h"
#include "batcher/partition/moment.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

bool IsNumber(const std::string& type) {
  return type == "smallint" || type == "integer" || type == "bigint";
}

bool IsUuid(const std::string& text) {
  return std::ranges::count(text, '-') == 4 || text.size() == 32;
}

// The value as its type writes it, whatever the session's settings; $1 the text. Of a uuid that is
// given as a time: the least one of version 7 of that millisecond.
std::string Canonical(const std::string& type, const std::string& text) {
  if (type.find("with time zone") != std::string::npos)
    return "SELECT CASE WHEN NOT isfinite(t) THEN t::text ELSE"
           " rtrim(rtrim(to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '0'), '.')"
           " || '+00' || CASE WHEN extract(year FROM t AT TIME ZONE 'UTC') < 0 THEN ' BC' ELSE ''"
           " END END FROM (SELECT $1::text::timestamptz AS t) v";
  if (type == "uuid" && !IsUuid(text))
    // A time before 1970 has no such uuid: the cast refuses what is longer.
    return "SELECT (lpad(to_hex(ms), greatest(12, length(to_hex(ms))), '0') || repeat('0', 20))"
           "::uuid::text FROM (SELECT (extract(epoch FROM $1::text::timestamptz) * 1000)::bigint)"
           " v (ms)";
  return fmt::format("SELECT ($1::text)::{}::text", type);
}

// A cast cuts what is too long for the type, and the bound would be another than was said.
void RefuseCut(const Whole& whole, const std::string& text, const std::string& value) {
  if (!whole.type.starts_with("character")) return;
  const std::size_t end = text.find_last_not_of(' ');
  if (end == std::string::npos || value.size() > end) return;
  RefuseUsage(fmt::format("\"{}\" is longer than column {} of {}, which is of type {}", text,
                          whole.column, whole.table.name, whole.type));
}

// A part of a character that has several bytes.
bool IsWide(char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }

}  // namespace

bool IsEndless(const std::string& literal) {
  return literal == "MINVALUE" || literal == "MAXVALUE";
}

namespace {

// What a word without quotes is, in place of a value; nullopt: a value.
std::optional<Key> WordOf(const Whole& whole, const Given& given) {
  const bool range = whole.strategy == Strategy::kRange;
  if (given.IsNull() && range)
    RefuseUsage(fmt::format(
        "no range holds NULL: rows of {} whose {} is NULL are in the default partition, "
        "if there is one. The text of these letters is 'NULL', in quotes",
        whole.table.name, whole.column));
  const std::string upper = Upper(given.text);
  const bool word = given.IsNull() || (range && !given.quoted && IsEndless(upper));
  if (!word) return std::nullopt;
  return Key{upper, upper};
}

}  // namespace

Task<Key> KeyOf(Session& session, const Whole& whole, Given given, std::string zone) {
  if (auto word = WordOf(whole, given)) co_return *std::move(word);
  const std::string& text = given.text;
  const std::string query = Canonical(whole.type, text);
  std::string why;
  std::string value;
  try {
    co_await session.db().Query("SELECT set_config('TimeZone', $1, false)", zone);
    const pg::Result row = co_await session.db().Query(query, text);
    value = row.Get<std::string>(0, 0);
  } catch (const pg::PgError& error) {
    if (!session.db().open()) throw;
    // The server only knows of the one that was tried last.
    why = whole.type == "uuid" && !IsUuid(text)
              ? "it is neither a uuid nor a time since 1970, at which those of version 7 begin"
              : error.what();
  }
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  if (!why.empty())
    RefuseUsage(fmt::format("\"{}\" is no value of column {} of {}, which is of type {}: {}", text,
                            whole.column, whole.table.name, whole.type, why));
  RefuseCut(whole, text, value);
  co_return KeyWith(whole, value);
}

Key KeyWith(const Whole& whole, const std::string& value) {
  return {value, IsNumber(whole.type) ? value : sql::QuoteLiteral(value)};
}

std::string LiteralOf(const Given& given) {
  return given.IsNull() ? given.text : sql::QuoteLiteral(given.text);
}

std::string NameEnd(const Whole& whole, const Key& key) {
  if (key.literal == "NULL") return "_null";
  std::string text = key.value;
  if (whole.type == "uuid")
    if (const std::string name = NameOfUuid(text); !name.empty()) return "_p" + name;
  const bool time = whole.type.starts_with("timestamp");
  if (time && text.ends_with("+00")) text.resize(text.size() - 3);
  if (time && text.ends_with(" 00:00:00")) text.resize(text.size() - 9);
  std::string name;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || IsWide(c);
    if (plain) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == '-' && name.empty()) {
      name += 'm';  // a negative number
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  // Of round uuids their beginning.
  for (const std::string_view zeros : {"_000000000000", "_0000"})
    while (whole.type == "uuid" && name.ends_with(zeros)) name.resize(name.size() - zeros.size());
  // Room is left for what tells the table.
  constexpr std::size_t kMost = 40;
  if (name.size() > kMost) {
    std::size_t cut = kMost;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0U) == 0x80U) --cut;
    name.resize(cut);
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return "_p" + name;
}

std::string NameEndOfRange(const Whole& whole, const Key& from, const Key& to) {
  if (!IsEndless(from.literal)) return NameEnd(whole, from);
  return "_until_" + NameEnd(whole, to).substr(2);
}

std::string TypedKey(const Whole& whole, const std::string& literal) {
  if (literal == "NULL") return whole.AsKey(literal);
  const bool bare = IsNumber(whole.type) && !literal.starts_with('\'');
  return whole.AsKey(bare ? sql::QuoteLiteral(literal) : literal);
}

std::string KeyRows(const Whole& whole, const std::vector<std::string>& literals) {
  std::string rows;
  for (const std::string& literal : literals)
    rows += fmt::format("{}({})", rows.empty() ? "VALUES " : ", ", TypedKey(whole, literal));
  return rows;
}

std::string InsideOf(const Whole& whole, const std::string& from, const std::string& to) {
  std::string inside = whole.column + " IS NOT NULL";
  if (!IsEndless(from))
    inside += fmt::format(" AND {} {} {}", whole.key, whole.Op(Relation::kAtLeast), from);
  if (!IsEndless(to))
    inside += fmt::format(" AND {} {} {}", whole.key, whole.Op(Relation::kLess), to);
  return inside;
}

namespace {

// With NULL apart, which no comparison finds.
struct Among {
  bool null = false;
  std::vector<std::string> literals;
};

Among Parted(const std::vector<std::string>& literals) {
  Among among;
  for (const std::string& literal : literals)
    if (literal == "NULL")
      among.null = true;
    else
      among.literals.push_back(literal);
  return among;
}

std::string ArrayOf(const Whole& whole, const Among& among) {
  return fmt::format("{} {} ANY (ARRAY[{}]::{}[])", whole.key, whole.Op(Relation::kEqual),
                     fmt::join(among.literals, ", "), whole.type);
}

}  // namespace

std::string AmongOf(const Whole& whole, const std::vector<std::string>& literals) {
  const Among among = Parted(literals);
  const char* null = among.null ? "IS NULL" : "IS NOT NULL";
  if (among.literals.empty()) return fmt::format("{} {}", whole.column, null);
  const bool plain = whole.Op(Relation::kEqual) == "=";
  return fmt::format("{} {} {} {}", whole.column, null, among.null ? "OR" : "AND",
                     plain ? fmt::format("{} IN ({})", whole.key, fmt::join(among.literals, ", "))
                           : ArrayOf(whole, among));
}

// Without a word about NULL where the lists have none: so the server's condition of a default
// partition, which is one for all lists, follows from several of these.
std::string NotAmongOf(const Whole& whole, const std::vector<std::string>& literals) {
  const Among among = Parted(literals);
  const std::string no_null = whole.column + " IS NOT NULL";
  if (among.literals.empty()) return no_null;
  const bool plain = whole.Op(Relation::kEqual) == "=";
  const std::string none =
      plain ? fmt::format("{} NOT IN ({})", whole.key, fmt::join(among.literals, ", "))
            : fmt::format("NOT ({})", ArrayOf(whole, among));
  return among.null ? fmt::format("({} AND {})", no_null, none) : none;
}

Task<Whole> WholeToBe(Session& session, const backfill::Table& table, std::string column) {
  co_await RequireColumn(session, table, column);
  const pg::Result row = co_await session.db().Query(
      "SELECT format_type(a.atttypid, a.atttypmod), CASE WHEN a.attcollation <> 0 THEN"
      " (SELECT format(' COLLATE %I.%I', n.nspname, c.collname) FROM pg_collation c"
      "  JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END,"
      " (SELECT o.oid FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'"
      "  WHERE o.opcintype = a.atttypid AND o.opcdefault)"
      " FROM pg_attribute a WHERE a.attrelid = $1 AND a.attname = $2",
      table.oid, column);
  Whole whole;
  whole.table = table;
  whole.column = sql::QuoteIdentifier(column);
  whole.type = row.Get<std::string>(0, 0);
  whole.collation = row.Get<std::optional<std::string>>(0, 1).value_or("");
  whole.key = whole.column;
  co_await ReadOperators(session, row.Get<std::optional<pg::Oid>>(0, 2).value_or(0), whole);
  co_return whole;
}

}  // namespace pgalter::partition
