// Given: values of the columns by which a table is parted, as somebody wrote them in an option.
// Pure.
//
// They are quoted as in SQL, and end at a comma: de,'a, b','o''clock',NULL. What stands without
// quotes is itself, without the spaces around it, but for words that are SQL's: NULL is no value,
// and of a range MINVALUE and MAXVALUE are its ends. All verbs read values here.
#pragma once

#include <string>
#include <vector>

namespace pgalter::partition {

struct Given {
  std::string text;
  bool quoted = true;  // it is itself, whatever it says

  [[nodiscard]] bool IsNull() const { return !quoted && text == "NULL"; }
  friend auto operator<=>(const Given&, const Given&) = default;
};

// One value, or one for each column of a key.
using Givens = std::vector<Given>;

// At least one. `option` is what a refusal names, as "--values". Throws run::Failure (usage): a
// quote that does not end, nothing between two commas, what may or may not be meant for NULL.
[[nodiscard]] Givens ReadGivens(const std::string& text, const std::string& option);

// The same, of an option that has one value. Throws run::Failure (usage): it has several.
[[nodiscard]] Given ReadGiven(const std::string& text, const std::string& option);

// What stands between the brackets of a bound, as the server writes it: 'a', E'b\\\\c', 5, NULL.
[[nodiscard]] Givens ReadLiterals(const std::string& text);

// As ReadGivens reads them again.
[[nodiscard]] std::string ToText(const Givens& values);

// "eu=de,fr": the name before the values. Empty: there is none, and the text is values alone.
[[nodiscard]] std::string NameBefore(const std::string& text);

}  // namespace pgalter::partition
