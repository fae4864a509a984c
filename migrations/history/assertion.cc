#include "migrations/history/assertion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "migrations/formats/text.h"
#include "planner/sql/identifier.h"

namespace pgalter::history {

namespace {

using formats::SameWord;
using formats::Trim;
using sql::QuoteIdentifier;
using sql::QuoteLiteral;

bool IsWordCharacter(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view TakeWord(std::string_view& text) {
  text = Trim(text);
  std::size_t end = 0;
  while (end < text.size() && IsWordCharacter(text[end])) ++end;
  const auto word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// Where `mark` stands outside of quotes and brackets, from `at` on.
std::size_t FindOutside(std::string_view text, char mark, std::size_t at = 0) {
  char quote = '\0';
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      continue;
    }
    if (c == mark && depth == 0) return at;
    if (c == '\'' || c == '"') quote = c;
    if (c == '(') ++depth;
    if (c == ')') --depth;
  }
  return std::string_view::npos;
}

std::vector<std::string_view> SplitAt(std::string_view text, char mark) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = FindOutside(text, mark);
    parts.push_back(Trim(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The parts of a dotted name, unquoted; empty: it is none.
std::vector<std::string> NameParts(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string_view part : SplitAt(text, '.')) {
    const auto name = sql::ParseQualifiedName(part);
    if (!name || name->schema) return {};
    names.push_back(name->name);
  }
  return names;
}

// 'it''s' -> it's; nothing: it is no literal.
std::optional<std::string> Literal(std::string_view text) {
  if (text.size() < 2 || text.front() != '\'' || text.back() != '\'') return std::nullopt;
  std::string value;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    value += text[i];
    if (text[i] != '\'') continue;
    if (i + 2 >= text.size() || text[i + 1] != '\'') return std::nullopt;
    ++i;
  }
  return value;
}

struct Kind {
  std::string_view name;
  std::size_t parts;
  // {0}, {1}, {2}: the parts of the name as literals.
  std::string_view sql;
};

constexpr std::string_view kRelation =
    "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = {0} AND c.relname = {1}";

constexpr std::array kKinds{
    Kind{"schema", 1, "pg_catalog.pg_namespace WHERE nspname = {0}"},
    Kind{"role", 1, "pg_catalog.pg_roles WHERE rolname = {0}"},
    Kind{"extension", 1, "pg_catalog.pg_extension WHERE extname = {0}"},
    Kind{"table", 2, "R AND c.relkind IN ('r', 'p', 'f')"},
    Kind{"view", 2, "R AND c.relkind = 'v'"},
    Kind{"matview", 2, "R AND c.relkind = 'm'"},
    Kind{"index", 2, "R AND c.relkind IN ('i', 'I')"},
    Kind{"sequence", 2, "R AND c.relkind = 'S'"},
    Kind{"type", 2,
         "pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
         " WHERE n.nspname = {0} AND t.typname = {1}"},
    Kind{"column", 3,
         "R AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
         " AND a.attname = {2} AND a.attnum > 0 AND NOT a.attisdropped)"},
    Kind{"constraint", 3,
         "R AND EXISTS (SELECT FROM pg_catalog.pg_constraint x WHERE x.conrelid = c.oid"
         " AND x.conname = {2})"},
    Kind{"trigger", 3,
         "R AND EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid"
         " AND t.tgname = {2})"},
    Kind{"policy", 3,
         "R AND EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid"
         " AND p.polname = {2})"},
};

// The query about a foreign key, made by the server: with its operators, and of the rows that the
// key is about. MATCH FULL is about a row as soon as one of its columns has a value.
constexpr std::string_view kOrphans = R"(SELECT pg_catalog.format(
  'SELECT count(*) = 0, %L || count(*) FROM %s c WHERE (%s) AND NOT EXISTS (SELECT FROM %s p WHERE %s)',
  'rows that have no counterpart by ' || x.conname || ': ',
  CASE WHEN child.relkind = 'r' THEN 'ONLY ' ELSE '' END || x.conrelid::regclass,
  CASE WHEN x.confmatchtype = 'f'
    THEN string_agg(pg_catalog.format('c.%I IS NOT NULL', a.attname), ' OR ')
    ELSE string_agg(pg_catalog.format('c.%I IS NOT NULL', a.attname), ' AND ') END,
  CASE WHEN parent.relkind = 'r' THEN 'ONLY ' ELSE '' END || x.confrelid::regclass,
  string_agg(pg_catalog.format('p.%I OPERATOR(%I.%s) c.%I', f.attname, os.nspname, o.oprname, a.attname),
             ' AND '))
FROM pg_catalog.pg_constraint x
JOIN pg_catalog.pg_class child ON child.oid = x.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = child.relnamespace
JOIN pg_catalog.pg_class parent ON parent.oid = x.confrelid
CROSS JOIN LATERAL unnest(x.conkey, x.confkey, x.conpfeqop) k(child_key, parent_key, operator)
JOIN pg_catalog.pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = k.child_key
JOIN pg_catalog.pg_attribute f ON f.attrelid = x.confrelid AND f.attnum = k.parent_key
JOIN pg_catalog.pg_operator o ON o.oid = k.operator
JOIN pg_catalog.pg_namespace os ON os.oid = o.oprnamespace
WHERE x.contype = 'f' AND n.nspname = {} AND child.relname = {}{}
GROUP BY x.oid, x.conname, x.conrelid, x.confrelid, x.confmatchtype, child.relkind, parent.relkind
ORDER BY x.conname)";

ReadAssertion Problem(std::string what, std::string_view typed = {},
                      std::vector<std::string> known = {}) {
  ReadAssertion read;
  read.problem = AssertionProblem{std::move(what), std::string(typed), std::move(known)};
  return read;
}

ReadAssertion Found(Assertion assertion) {
  ReadAssertion read;
  read.assertion = std::move(assertion);
  return read;
}

std::string Unqualified(std::string_view what, std::string_view name, std::string_view like) {
  return fmt::format("{} needs a name with its schema: \"{}\" is not of the form {}", what, name,
                     like);
}

std::string Quoted(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ".") + QuoteIdentifier(part);
  return text;
}

ReadAssertion Exists(std::string_view arguments) {
  const auto kind = TakeWord(arguments);
  const auto name = Trim(arguments);
  Assertion assertion;
  assertion.otherwise = fmt::format("there is no {} {}", kind, name);
  if (SameWord(kind, "function")) {
    if (NameParts(name.substr(0, name.find('('))).size() != 2 || !name.ends_with(')'))
      return Problem(Unqualified("exists(function)", name, "schema.name(types)"));
    assertion.sql = fmt::format("SELECT pg_catalog.to_regprocedure({}) IS NOT NULL",
                                QuoteLiteral(std::string(name)));
    return Found(std::move(assertion));
  }
  const auto found =
      std::ranges::find_if(kKinds, [&](const Kind& known) { return SameWord(kind, known.name); });
  if (found == kKinds.end()) {
    std::vector<std::string> known{"function"};
    for (const Kind& one : kKinds) known.emplace_back(one.name);
    return Problem(fmt::format("exists() does not know a \"{}\"", kind), kind, std::move(known));
  }
  std::vector<std::string> parts = NameParts(name);
  if (parts.size() != found->parts) {
    constexpr std::array kForms{"name", "schema.name", "schema.table.name"};
    return Problem(fmt::format("exists({}): \"{}\" is not of the form {}", kind, name,
                               kForms.at(found->parts - 1)));
  }
  parts.resize(3);
  std::string from(found->sql);
  if (from.starts_with("R ")) from.replace(0, 1, kRelation);
  assertion.sql = fmt::format("SELECT EXISTS (SELECT FROM {})",
                              fmt::format(fmt::runtime(from), QuoteLiteral(parts[0]),
                                          QuoteLiteral(parts[1]), QuoteLiteral(parts[2])));
  return Found(std::move(assertion));
}

ReadAssertion IndexValid(std::string_view arguments) {
  const auto parts = NameParts(arguments);
  if (parts.size() != 2) return Problem(Unqualified("index_valid()", arguments, "schema.index"));
  Assertion assertion;
  assertion.sql = fmt::format(
      "SELECT i.indisvalid AND i.indisready AND i.indislive, 'it is not valid' FROM"
      " pg_catalog.pg_index i WHERE i.indexrelid = (SELECT c.oid FROM {})",
      fmt::format(fmt::runtime(kRelation), QuoteLiteral(parts[0]), QuoteLiteral(parts[1])));
  assertion.otherwise = fmt::format("there is no index {}", Trim(arguments));
  return Found(std::move(assertion));
}

ReadAssertion Enum(std::string_view arguments) {
  const auto all = SplitAt(arguments, ',');
  const auto parts = NameParts(all.front());
  if (parts.size() != 2) return Problem(Unqualified("enum()", all.front(), "schema.type"));
  if (all.size() < 2) return Problem("enum() needs its labels: enum(public.mood, 'sad', 'ok')");
  std::vector<std::string> labels;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const auto label = Literal(all[i]);
    if (!label) return Problem(fmt::format("enum(): {} is no label: write it in '", all[i]));
    labels.push_back(QuoteLiteral(*label));
  }
  Assertion assertion;
  assertion.sql = fmt::format(
      "SELECT labels = ARRAY[{}]::text[], 'its labels are: ' || array_to_string(labels, ', ') FROM"
      " (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS labels FROM"
      " pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid JOIN"
      " pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = {} AND t.typname = {}"
      ") of WHERE labels IS NOT NULL",
      fmt::join(labels, ", "), QuoteLiteral(parts[0]), QuoteLiteral(parts[1]));
  assertion.otherwise = fmt::format("there is no enum {}", all.front());
  return Found(std::move(assertion));
}

ReadAssertion Rows(std::string_view arguments) {
  const auto all = SplitAt(arguments, ',');
  const auto parts = NameParts(all.front());
  if (parts.size() != 2) return Problem(Unqualified("rows()", all.front(), "schema.table"));
  if (all.size() != 2) return Problem("rows() needs a number: rows(public.person, >= 10)");
  const std::size_t digits = std::min(all[1].find_first_of("0123456789"), all[1].size());
  const auto sign = Trim(all[1].substr(0, digits));
  const auto number = all[1].substr(digits);
  constexpr std::array<std::string_view, 7> kSigns{"=", "<>", "!=", "<", "<=", ">", ">="};
  const bool counts = !number.empty() && number.size() < 19 &&
                      number.find_first_not_of("0123456789") == std::string_view::npos;
  if (!counts || (!sign.empty() && std::ranges::find(kSigns, sign) == kSigns.end()))
    return Problem(fmt::format("rows(): \"{}\" is no number with or without one of {}", all[1],
                               fmt::join(kSigns, " ")));
  Assertion assertion;
  assertion.sql = fmt::format("SELECT count(*) {} {}, 'it has ' || count(*) || ' rows' FROM {}",
                              sign.empty() ? "=" : sign, number, Quoted(parts));
  return Found(std::move(assertion));
}

ReadAssertion NoOrphans(std::string_view arguments) {
  const auto parts = NameParts(arguments);
  if (parts.size() != 2 && parts.size() != 3)
    return Problem(Unqualified("no_orphans()", arguments, "schema.table or schema.table.key"));
  Assertion assertion;
  assertion.gives_sql = true;
  assertion.sql =
      fmt::format(fmt::runtime(kOrphans), QuoteLiteral(parts[0]), QuoteLiteral(parts[1]),
                  parts.size() == 3 ? " AND x.conname = " + QuoteLiteral(parts[2]) : std::string());
  assertion.otherwise = fmt::format("{} has no foreign key{}", Trim(arguments),
                                    parts.size() == 3 ? " of that name" : "");
  return Found(std::move(assertion));
}

enum class Answer { kAllowed, kDenied };

ReadAssertion AsRole(std::string_view arguments, Answer answer) {
  const std::size_t comma = FindOutside(arguments, ',');
  const std::string_view name = answer == Answer::kAllowed ? "policy_allows" : "policy_denies";
  const auto role = NameParts(Trim(arguments.substr(0, comma)));
  const auto query =
      comma == std::string_view::npos ? std::string_view() : Trim(arguments.substr(comma + 1));
  if (role.size() != 1 || query.empty())
    return Problem(
        fmt::format("{0}() needs a role and a query: {0}(app, SELECT count(*) = 3 FROM "
                    "public.person)",
                    name));
  Assertion assertion;
  assertion.role = role.front();
  assertion.sql = query;
  assertion.is_denied = answer == Answer::kDenied;
  return Found(std::move(assertion));
}

ReadAssertion Allows(std::string_view arguments) { return AsRole(arguments, Answer::kAllowed); }
ReadAssertion Denies(std::string_view arguments) { return AsRole(arguments, Answer::kDenied); }

// APP_KEY of env:APP_KEY; empty: it is none.
std::string VariableOf(std::string_view text) {
  constexpr std::string_view kFrom = "env:";
  if (!text.starts_with(kFrom)) return "";
  text.remove_prefix(kFrom.size());
  return std::ranges::all_of(text, IsWordCharacter) ? std::string(text) : "";
}

// In whatever schema the extension is. The key is bound, so that no statement shows it.
Assertion WithPgcrypto(const std::string& secret, const std::string& query,
                       std::string_view names) {
  Assertion assertion;
  assertion.gives_sql = true;
  assertion.secret = secret;
  assertion.sql = fmt::format(
      "SELECT pg_catalog.format({}, {}) FROM pg_catalog.pg_extension e JOIN"
      " pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgcrypto'",
      QuoteLiteral(query), names);
  assertion.otherwise = "the extension pgcrypto is not there";
  return assertion;
}

constexpr std::string_view kNoKey =
    "the key comes from the environment, as env:APP_KEY: written here everybody could read it";

ReadAssertion RoundTrip(std::string_view arguments) {
  const std::string variable = VariableOf(Trim(arguments));
  if (variable.empty()) return Problem(fmt::format("round_trip(): {}", kNoKey));
  return Found(WithPgcrypto(
      variable,
      "SELECT %1$I.pgp_sym_decrypt(%1$I.pgp_sym_encrypt(p.text, $1::text), $1::text) = p.text, "
      "'what comes back is not what went in' FROM (SELECT 'pgalter ' || random() AS text) p",
      "n.nspname"));
}

// As bytes: what is no text is no error then, which could quote it.
ReadAssertion Decrypts(std::string_view arguments) {
  const auto all = SplitAt(arguments, ',');
  const auto parts = NameParts(all.front());
  if (parts.size() != 3)
    return Problem(Unqualified("decrypts()", all.front(), "schema.table.column"));
  const std::string variable = all.size() == 2 ? VariableOf(all[1]) : "";
  if (variable.empty()) return Problem(fmt::format("decrypts(): {}", kNoKey));
  return Found(WithPgcrypto(
      variable,
      "SELECT count(%1$I.pgp_sym_decrypt_bytea(v.%2$I, $1::text)) = count(v.%2$I), 'not every "
      "value decrypts' FROM %3$I.%4$I v",
      fmt::format("n.nspname, {}, {}, {}", QuoteLiteral(parts[2]), QuoteLiteral(parts[0]),
                  QuoteLiteral(parts[1]))));
}

struct BuiltIn {
  std::string_view name;
  ReadAssertion (*read)(std::string_view arguments);
  bool can_be_negated;
};

constexpr std::array kBuiltIns{
    BuiltIn{"exists", &Exists, true},
    BuiltIn{"index_valid", &IndexValid, true},
    BuiltIn{"enum", &Enum, true},
    BuiltIn{"rows", &Rows, true},
    BuiltIn{"no_orphans", &NoOrphans, true},
    BuiltIn{"policy_allows", &Allows, false},
    BuiltIn{"policy_denies", &Denies, false},
    BuiltIn{"round_trip", &RoundTrip, false},
    BuiltIn{"decrypts", &Decrypts, false},
};

}  // namespace

ReadAssertion ParseAssertion(std::string_view text) {
  std::string_view rest = Trim(text);
  auto word = TakeWord(rest);
  const bool negated = SameWord(word, "not");
  if (negated) word = TakeWord(rest);
  rest = Trim(rest);
  // No statement of SQL begins with a name and a bracket.
  if (word.empty() || !rest.starts_with('(')) return {};
  if (SameWord(word, "select") || SameWord(word, "values") || SameWord(word, "with")) return {};
  const auto found =
      std::ranges::find_if(kBuiltIns, [&](const BuiltIn& one) { return SameWord(word, one.name); });
  if (found == kBuiltIns.end()) {
    std::vector<std::string> known;
    for (const BuiltIn& one : kBuiltIns) known.emplace_back(one.name);
    return Problem(fmt::format("\"{}\" is no question that is known", word), word,
                   std::move(known));
  }
  const std::size_t end = FindOutside(rest.substr(1), ')');
  if (end == std::string_view::npos || !Trim(rest.substr(end + 2)).empty())
    return Problem(fmt::format("{}(…) does not end with its bracket", word));
  ReadAssertion read = found->read(Trim(rest.substr(1, end)));
  if (!read.assertion) return read;
  if (negated && !found->can_be_negated)
    return Problem(fmt::format("there is no \"not\" for {}", word));
  read.assertion->negated = negated;
  return read;
}

}  // namespace pgalter::history
