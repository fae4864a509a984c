#include "planner/lint/suppression.h"

#include <algorithm>
#include <array>

namespace pgalter::lint {

namespace {

// What another tool's rule is called here. What is not listed silences nothing.
struct Mapping {
  std::string_view theirs;
  std::string_view ours;
};
constexpr std::array<Mapping, 34> kMappings = {{
    {"adding-field-with-default", "add-column-volatile-default"},
    {"adding-field-with-default", "add-column-serial"},
    {"adding-field-with-default", "add-column-identity"},
    {"adding-field-with-default", "add-column-generated-stored"},
    {"adding-foreign-key-constraint", "add-fk-without-not-valid"},
    {"adding-not-nullable-field", "set-not-null"},
    {"adding-required-field", "add-required-column"},
    {"adding-serial-primary-key-field", "add-primary-key"},
    {"ban-alter-domain-with-add-constraint", "domain-constraint"},
    {"ban-concurrent-index-creation-in-transaction", "concurrently-in-transaction"},
    {"ban-drop-column", "drop-column"},
    {"ban-drop-database", "drop-database"},
    {"ban-drop-not-null", "drop-not-null"},
    {"ban-drop-table", "drop-table"},
    {"ban-truncate-cascade", "truncate-cascade"},
    {"changing-column-type", "change-column-type"},
    {"constraint-missing-not-valid", "add-check-without-not-valid"},
    {"constraint-missing-not-valid", "add-fk-without-not-valid"},
    {"constraint-missing-not-valid", "validate-in-same-tx"},
    {"disallowed-unique-constraint", "add-unique-constraint"},
    {"renaming-column", "rename-column"},
    {"renaming-table", "rename-table"},
    {"require-concurrent-index-creation", "create-index-non-concurrent"},
    {"require-concurrent-index-deletion", "drop-index-non-concurrent"},
    {"require-lock-timeout", "missing-lock-timeout"},
    {"require-statement-timeout", "missing-statement-timeout"},
    {"transaction-nesting", "transaction-nesting"},
    {"PG101", "create-index-non-concurrent"},
    {"PG102", "drop-index-non-concurrent"},
    {"PG103", "concurrently-in-transaction"},
    {"PG105", "add-unique-constraint"},
    {"PG301", "change-column-type"},
    {"PG303", "set-not-null"},
    {"DS103", "drop-column"},
}};

// What pgroll does with an operation of its own keeps nobody waiting, whatever the statement that
// stands for it would do.
constexpr std::array<std::string_view, 11> kOnline = {
    "set-not-null",
    "add-check-without-not-valid",
    "add-fk-without-not-valid",
    "add-unique-constraint",
    "add-primary-key",
    "add-column-volatile-default",
    "change-column-type",
    "rename-column",
    "rename-table",
    "missing-lock-timeout",
    "missing-statement-timeout",
};

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ','; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// What stands between the marks of the comment.
std::string_view Inside(std::string_view comment) {
  if (comment.starts_with("--")) return Trim(comment.substr(2));
  if (comment.starts_with("/*")) comment.remove_prefix(2);
  if (comment.ends_with("*/")) comment.remove_suffix(2);
  return Trim(comment);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  while (!(text = Trim(text)).empty()) {
    const auto end = std::ranges::find_if(text, IsBlank);
    words.emplace_back(text.begin(), end);
    text.remove_prefix(words.back().size());
  }
  return words;
}

// Takes `word` off the front, where it stands there as a word.
bool TakeWord(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  const std::string_view rest = text.substr(word.size());
  if (!rest.empty() && !IsBlank(rest.front()) && rest.front() != ':') return false;
  text = rest.starts_with(':') ? rest.substr(1) : rest;
  return true;
}

// reason="…", taken off the text.
std::string TakeReason(std::string_view& text) {
  constexpr std::string_view kKey = "reason=";
  const auto at = text.find(kKey);
  if (at == std::string_view::npos) return {};
  std::string_view value = text.substr(at + kKey.size());
  text = text.substr(0, at);
  if (value.starts_with('"')) {
    value.remove_prefix(1);
    value = value.substr(0, value.find('"'));
  }
  return std::string(Trim(value));
}

Suppression Foreign(std::string_view rest, bool whole_file) {
  Suppression suppression;
  suppression.foreign = true;
  suppression.whole_file = whole_file;
  suppression.rules = Words(rest);
  for (const std::string& rule : suppression.rules)
    for (const Mapping& mapping : kMappings)
      if (mapping.theirs == rule) suppression.ours.emplace_back(mapping.ours);
  return suppression;
}

std::optional<Suppression> Read(std::string_view text) {
  const bool whole_file = TakeWord(text, "pgalter:ignore-file");
  if (whole_file || TakeWord(text, "pgalter:ignore")) {
    Suppression suppression;
    suppression.whole_file = whole_file;
    suppression.reason = TakeReason(text);
    suppression.rules = Words(text);
    suppression.ours = suppression.rules;
    return suppression;
  }
  if (TakeWord(text, "pgroll:online")) {
    Suppression suppression;
    suppression.foreign = true;
    suppression.rules.assign(kOnline.begin(), kOnline.end());
    suppression.ours = suppression.rules;
    return suppression;
  }
  if (TakeWord(text, "squawk-ignore-file")) return Foreign(text, true);
  if (TakeWord(text, "squawk-ignore")) return Foreign(text, false);
  if (TakeWord(text, "atlas:nolint")) return Foreign(text, false);
  return std::nullopt;
}

}  // namespace

bool Suppression::Covers(std::string_view rule) const {
  return rules.empty() || std::ranges::find(ours, rule) != ours.end();
}

std::optional<Suppression> ReadSuppression(const sql::Comment& comment) {
  auto suppression = Read(Inside(comment.text));
  if (suppression) suppression->span = comment.span;
  return suppression;
}

}  // namespace pgalter::lint
