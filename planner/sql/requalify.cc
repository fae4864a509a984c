#include "planner/sql/requalify.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "planner/sql/identifier.h"
#include "planner/sql/text.h"
#include "planner/sql/tree.h"

namespace pgalter::sql {
namespace {

struct Edit {
  std::size_t begin;  // bytes of the old text
  std::size_t end;
  std::string replacement;
};

// One past the tokens of a reference with `parts` names, which starts at tokens[first]: names with
// dots between.
std::size_t EndOfReference(const std::vector<grammar::Token>& tokens, std::size_t first,
                           int parts) {
  std::size_t at = first;
  for (int i = 0; i < parts && at < tokens.size(); ++i) {
    if (i > 0) ++at;  // the dot
    ++at;
    // U&"d!0061t" UESCAPE '!'
    if (at < tokens.size() && tokens[at].kind == pg_query::UESCAPE) at += 2;
  }
  return std::min(at, tokens.size());
}

// Whether a reference put beside another token could be read as one with it. The "&" is that of
// U&"…".
bool Joins(char left, char right) {
  const auto is_name = [](char c) { return IsNameByte(c) || c == '"' || c == '\''; };
  return (is_name(left) && is_name(right)) || (left == '&' && right == '"');
}

class Requalifier {
 public:
  Requalifier(const std::optional<std::string>& from, std::string_view to,
              const std::map<std::string, std::string>& substitutions)
      : from_(from), to_(to), substitutions_(substitutions) {}

  Result<std::string> Rewrite(std::string_view text) const {
    const auto expression = tree::ReadExpression(text);
    if (!expression) return expression.error();
    if (tree::Contains<pg_query::SubLink>(expression->root)) {
      return Error{"the expression has a subquery, whose columns cannot be told apart", 0,
                   "put the subquery into a function"};
    }
    std::vector<const pg_query::ColumnRef*> refs;
    tree::ForEach<pg_query::ColumnRef>(expression->root,
                                       [&](const auto& ref) { refs.push_back(&ref); });
    std::vector<Edit> edits;
    for (const auto* ref : refs) {
      auto edit = EditFor(*ref, *expression);
      if (!edit) return edit.error();
      edits.push_back(*std::move(edit));
    }
    return Apply(expression->text, std::move(edits));
  }

 private:
  Result<Edit> EditFor(const pg_query::ColumnRef& ref, const tree::Expression& expression) const {
    const auto begin = static_cast<std::size_t>(ref.location());
    const auto& tokens = expression.tokens;
    const auto first = std::ranges::lower_bound(tokens, begin, {}, &grammar::Token::begin);
    const auto end =
        EndOfReference(tokens, static_cast<std::size_t>(first - tokens.begin()), ref.fields_size());
    auto replacement = ReplacementOf(ref);
    if (!replacement) {
      Error error = replacement.error();
      error.position = CharacterAt(expression.text, begin);
      return error;
    }
    return Edit{begin, tokens[end - 1].end, *std::move(replacement)};
  }

  Result<std::string> ReplacementOf(const pg_query::ColumnRef& ref) const {
    const int parts = ref.fields_size();
    // In schema.table.column the schema tells nothing: there is one table.
    if (parts > 1) {
      const std::string& qualifier = ref.fields(parts - 2).string().sval();
      if (parts > 3 || !from_ || qualifier != *from_) {
        return Error{QuoteIdentifier(qualifier) + " is not the table that this expression is about",
                     0, ""};
      }
    }
    const auto& last = ref.fields(parts - 1);
    if (last.has_a_star()) return WholeRow();
    const std::string& column = last.string().sval();
    const auto substitution = substitutions_.find(column);
    if (substitution == substitutions_.end()) return Qualified(QuoteIdentifier(column));
    auto inlined = Requalifier(from_, to_, {}).Rewrite(substitution->second);
    if (!inlined) {
      return Error{"the expression of " + QuoteIdentifier(column) + ": " + inlined.error().message,
                   0, inlined.error().hint};
    }
    return "(" + *inlined + ")";
  }

  Result<std::string> WholeRow() const {
    if (to_.empty()) {
      return Error{"a whole row cannot be named without its table", 0, "name the columns"};
    }
    if (!substitutions_.empty()) {
      return Error{"the whole row has a generated column in it, which has no value yet here", 0,
                   "name the columns"};
    }
    return Qualified("*");
  }

  std::string Qualified(const std::string& column) const {
    return to_.empty() ? column : QuoteIdentifier(to_) + "." + column;
  }

  static std::string Apply(std::string_view text, std::vector<Edit> edits) {
    std::ranges::sort(edits, {}, &Edit::begin);
    std::string result;
    std::size_t at = 0;
    for (const Edit& edit : edits) {
      result += text.substr(at, edit.begin - at);
      if (!result.empty() && Joins(result.back(), edit.replacement.front())) result += ' ';
      result += edit.replacement;
      at = edit.end;
      if (at < text.size() && Joins(edit.replacement.back(), text[at])) result += ' ';
    }
    return result += text.substr(at);
  }

  std::optional<std::string> from_;
  std::string_view to_;
  std::map<std::string, std::string> substitutions_;
};

}  // namespace

Result<std::string> RequalifyColumns(std::string_view expression,
                                     const std::optional<std::string>& from_qualifier,
                                     std::string_view new_qualifier,
                                     const std::map<std::string, std::string>& substitutions) {
  return Requalifier(from_qualifier, new_qualifier, substitutions).Rewrite(expression);
}

}  // namespace pgalter::sql
