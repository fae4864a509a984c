#include "batcher/cutover/unsettled.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <string_view>

#include "engine/guard/transaction.h"
#include "engine/pg/error.h"

namespace pgalter::cutover {

namespace {

// As carry_over.cc and keys_back.cc write them.
enum class Kind { kValidate, kAdd, kComment, kAnalyze };

// begin table middle constraint end; of a comment it is begin constraint middle table end.
struct Parsed {
  Kind kind = Kind::kValidate;
  std::string begin;
  std::string table;  // quoted, with its schema
  std::string middle;
  std::string constraint;  // quoted
  std::string end;
};

bool Take(std::string_view& text, std::string_view word, std::string& taken) {
  if (!text.starts_with(word)) return false;
  taken += word;
  text.remove_prefix(word.size());
  return true;
}

// As quote_ident writes it.
std::string TakeIdentifier(std::string_view& text) {
  std::size_t end = 0;
  if (!text.starts_with('"')) {
    end = std::min(text.find_first_of(" ."), text.size());
  } else {
    for (end = 1; end < text.size(); ++end) {
      if (text[end] != '"') continue;
      if (end + 1 == text.size() || text[end + 1] != '"') break;
      ++end;
    }
    end = std::min(end + 1, text.size());
  }
  std::string name(text.substr(0, end));
  text.remove_prefix(end);
  return name;
}

std::string TakeTable(std::string_view& text) {
  std::string table = TakeIdentifier(text);
  if (Take(text, ".", table)) table += TakeIdentifier(text);
  return table;
}

std::optional<Parsed> Parse(std::string_view text) {
  Parsed parsed;
  bool known = false;
  if (Take(text, "COMMENT ON CONSTRAINT ", parsed.begin)) {
    parsed.kind = Kind::kComment;
    parsed.constraint = TakeIdentifier(text);
    known = Take(text, " ON ", parsed.middle);
    parsed.table = TakeTable(text);
  } else if (Take(text, "ANALYZE ", parsed.begin)) {
    parsed.kind = Kind::kAnalyze;
    parsed.table = TakeTable(text);
    known = true;
  } else if (Take(text, "ALTER TABLE ", parsed.begin)) {
    Take(text, "IF EXISTS ", parsed.begin);
    parsed.table = TakeTable(text);
    known = Take(text, " VALIDATE CONSTRAINT ", parsed.middle);
    if (!known) {
      parsed.kind = Kind::kAdd;
      known = Take(text, " ADD CONSTRAINT ", parsed.middle);
    }
    parsed.constraint = TakeIdentifier(text);
  }
  if (!known || parsed.table.empty()) return std::nullopt;
  parsed.end = text;
  return parsed;
}

std::string Written(const Parsed& parsed) {
  const bool comment = parsed.kind == Kind::kComment;
  return parsed.begin + (comment ? parsed.constraint : parsed.table) + parsed.middle +
         (comment ? parsed.table : parsed.constraint) + parsed.end;
}

// $1 the constraint, and for one that was made again since, or is not known: $2 its table by name,
// $3 its own name.
constexpr const char* kConstraint = R"sql(
SELECT f.oid, format('%I.%I', n.nspname, c.relname), quote_ident(f.conname)
FROM (SELECT oid, conrelid, conname FROM pg_constraint WHERE oid = $1
      UNION ALL
      SELECT oid, conrelid, conname FROM pg_constraint
      WHERE conrelid = to_regclass($2) AND conname = (parse_ident($3))[1] AND contype IN ('f', 'c', 'n')) f
JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY f.oid <> $1 LIMIT 1
)sql";

// $1 the table, or 0: by $2, its name.
constexpr const char* kTable = R"sql(
SELECT c.oid, format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = CASE $1::oid WHEN 0 THEN to_regclass($2)::oid ELSE $1 END
)sql";

// What a partitioned table $1 is to adopt as $2, $3 when it was written: whether it has one of that
// name, whether it has partitions that hold rows, and what these have of it that nobody has
// adopted.
constexpr const char* kAdopted = R"sql(
SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = $1 AND conname = (parse_ident($2))[1]),
       EXISTS (SELECT FROM pg_partition_tree($1) WHERE isleaf AND level > 0),
       (SELECT d.text FROM pg_partition_tree($1) p
        JOIN pg_constraint f ON f.conrelid = p.relid AND f.contype = 'f' AND f.conparentid = 0
        CROSS JOIN LATERAL (SELECT regexp_replace(pg_get_constraintdef(f.oid), ' NOT VALID$', '')
                              AS text) d
        WHERE p.isleaf AND (d.text = $3 OR f.conname = (parse_ident($2))[1])
        ORDER BY d.text <> $3, f.oid LIMIT 1)
)sql";

pg::Oid OidOf(const std::string& sql, const SettledOn& on) {
  const auto found = on.find(sql);
  return found == on.end() ? 0 : found->second;
}

// Tables, constraints, columns, and unique keys that a foreign key could refer to.
bool IsOfWhatIsGone(const pg::PgError& error) {
  constexpr std::array kCodes{"42P01", "42704", "42703", "42830"};
  return std::ranges::any_of(kCodes, [&error](const char* code) { return error.Is(code); });
}

Task<AsOfNow> ValidatedNow(Session& session, Parsed parsed, pg::Oid oid) {
  const pg::Result row =
      co_await session.db().Query(kConstraint, oid, parsed.table, parsed.constraint);
  AsOfNow now;
  if (row.empty()) {
    now.gone = fmt::format("constraint {} of {} was not validated: it is gone", parsed.constraint,
                           parsed.table);
    co_return now;
  }
  parsed.table = row.Get<std::string>(0, 1);
  parsed.constraint = row.Get<std::string>(0, 2);
  now.sql = Written(parsed);
  co_return now;
}

Task<std::string> WhyNotAdopted(Session& session, Parsed& parsed, pg::Oid table) {
  constexpr std::string_view kNotValid = " NOT VALID";
  std::string definition = parsed.end.substr(parsed.end.find(' ') + 1);
  const bool not_valid = definition.ends_with(kNotValid);
  if (not_valid) definition.resize(definition.size() - kNotValid.size());
  const pg::Result row =
      co_await session.db().Query(kAdopted, table, parsed.constraint, definition);
  if (row.Get<bool>(0, 0)) co_return "the table has one of that name";
  const auto of_partitions = row.Get<std::optional<std::string>>(0, 2);
  if (row.Get<bool>(0, 1) && !of_partitions) co_return "no partition has it for itself any more";
  // Names in it follow what was renamed.
  if (of_partitions) parsed.end = fmt::format(" {}{}", *of_partitions, not_valid ? kNotValid : "");
  co_return "";
}

Task<AsOfNow> OfTableNow(Session& session, Parsed parsed, pg::Oid oid) {
  const pg::Result row = co_await session.db().Query(kTable, oid, parsed.table);
  AsOfNow now;
  std::string why;
  if (row.empty()) {
    why = "the table is gone";
  } else {
    parsed.table = row.Get<std::string>(0, 1);
    if (parsed.kind == Kind::kAdd)
      why = co_await WhyNotAdopted(session, parsed, row.Get<pg::Oid>(0, 0));
  }
  if (why.empty())
    now.sql = Written(parsed);
  else if (parsed.kind == Kind::kAdd)
    now.gone = fmt::format("foreign key {} was not made for the whole of {}: {}", parsed.constraint,
                           parsed.table, why);
  co_return now;
}

}  // namespace

Task<SettledOn> ReadSettledOn(Session& session, std::vector<std::string> validate,
                              std::vector<std::string> adopt) {
  constexpr pg::Oid kNotKnown = 0;
  validate.insert(validate.end(), adopt.begin(), adopt.end());
  std::vector<std::string> known;
  std::vector<pg::Statement> statements;  // in one round trip, as users wait
  for (const std::string& sql : validate) {
    const std::optional<Parsed> parsed = Parse(sql);
    if (!parsed) continue;
    known.push_back(sql);
    if (parsed->kind == Kind::kValidate)
      statements.push_back(
          {kConstraint, pg::Params::Of(kNotKnown, parsed->table, parsed->constraint)});
    else
      statements.push_back({kTable, pg::Params::Of(kNotKnown, parsed->table)});
  }
  SettledOn on;
  if (statements.empty()) co_return on;
  const auto rows = co_await session.db().Pipeline(std::move(statements));
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!rows[i].empty()) on[known[i]] = rows[i].Get<pg::Oid>(0, 0);
  co_return on;
}

Task<AsOfNow> ReadAsOfNow(Session& session, std::string sql, const SettledOn& on) {
  const pg::Oid oid = OidOf(sql, on);
  std::optional<Parsed> parsed = Parse(sql);
  AsOfNow now;
  if (!parsed)
    now.sql = std::move(sql);
  else if (parsed->kind == Kind::kValidate)
    now = co_await ValidatedNow(session, std::move(*parsed), oid);
  else
    now = co_await OfTableNow(session, std::move(*parsed), oid);
  co_return now;
}

Task<std::vector<std::string>> AllAsOfNow(Session& session, std::vector<std::string> statements,
                                          const SettledOn& on) {
  std::vector<std::string> all;
  for (const std::string& sql : statements) {
    AsOfNow now = co_await ReadAsOfNow(session, sql, on);
    if (!now.sql.empty()) all.push_back(std::move(now.sql));
  }
  co_return all;
}

Task<std::string> RunAsOfNow(Session& session, std::string sql, const SettledOn& on,
                             Validating how) {
  std::string last;
  std::exception_ptr refused;
  for (;;) {
    AsOfNow now = co_await ReadAsOfNow(session, sql, on);
    if (now.sql.empty()) co_return now.gone;
    if (now.sql == last) std::rethrow_exception(refused);
    last = now.sql;
    try {
      co_await Validate(session, now.sql, how);
      co_return "";
    } catch (const pg::PgError& error) {
      if (!IsOfWhatIsGone(error)) throw;
      refused = std::current_exception();  // it may have gone since it was looked for
    }
  }
}

Task<std::string> AdoptAsOfNow(Session& session, std::string sql, const SettledOn& on,
                               std::function<Task<>(std::string)> adopt,
                               std::function<Task<>()> leave_out) {
  std::string last;
  std::string refused;
  for (;;) {
    AsOfNow now = co_await ReadAsOfNow(session, sql, on);
    // What else it names is gone, a table that it refers to.
    if (!now.sql.empty() && now.sql == last) {
      now.gone = fmt::format("\"{}\" was left out: {}", now.sql, refused);
      now.sql.clear();
    }
    if (now.sql.empty()) {
      co_await guard::RunInTransaction(session, leave_out);
      co_return now.gone;
    }
    last = now.sql;
    try {
      co_await adopt(std::move(now.sql));
      co_return "";
    } catch (const pg::PgError& error) {
      if (!IsOfWhatIsGone(error)) throw;
      refused = error.what();
    }
  }
}

void Say(std::string& said, const std::string& more) {
  if (!said.empty() && !more.empty()) said += "; ";
  said += more;
}

}  // namespace pgalter::cutover
