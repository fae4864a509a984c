#pragma once

// A statement on its way from a newer form to one that the installed grammar reads: edits of its
// text, what its constraints are in truth, and what has to be put right in the values that are read
// from the edited text. Private to planner/sql.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/ast/read_statement.h"
#include "planner/sql/grammar.h"

namespace pgalter::sql::newer {

// How many tokens a form looks around itself. A statement has a form thousands of times at most by
// malice; then each looks at this many, not at all of them.
constexpr std::size_t kReach = 1'000;

class Rewriting {
 public:
  // The tokens of the text, comments not among them.
  Rewriting(std::string_view text, std::vector<grammar::Token> tokens);

  [[nodiscard]] std::size_t size() const { return tokens_.size(); }
  // Whether the token is this word, in lower case; words in quotes are none.
  [[nodiscard]] bool Is(std::size_t token, std::string_view word) const;
  // Several words, one after the other.
  [[nodiscard]] bool Are(std::size_t token, std::initializer_list<std::string_view> words) const;
  [[nodiscard]] bool IsAny(std::size_t token, std::initializer_list<std::string_view> words) const;
  [[nodiscard]] std::string_view Text(std::size_t first, std::size_t last) const;
  // How many brackets are around the token; an opening bracket is not around itself.
  [[nodiscard]] std::size_t Depth(std::size_t token) const { return places_[token].depth; }
  // Of a bracket; size() if it has none.
  [[nodiscard]] std::size_t Partner(std::size_t token) const { return places_[token].partner; }
  // The next comma or closing bracket at the token's own depth, or the end, or out of reach.
  [[nodiscard]] std::size_t EndOfPart(std::size_t token) const;
  // Where the constraint starts whose own words start at `token`: at CONSTRAINT, if it has a name.
  [[nodiscard]] std::size_t StartOfConstraint(std::size_t token) const;

  void Found(int major, std::string_view what);
  void Replace(std::size_t first, std::size_t last, std::string text);
  void Blank(std::size_t first, std::size_t last) { Replace(first, last, " "); }
  void Mark(std::size_t constraint, ast::Mark mark);
  void Afterwards(std::function<void(ast::Statement&)> repair);
  // Afterwards, for the command of an ALTER TABLE that the token stands in.
  void AfterwardsInCommand(std::size_t token, std::function<void(ast::TableCommand&)> repair);
  // It is recognised, but nothing the grammar knows stands for it.
  void GiveUpReading() { readable_ = false; }

  [[nodiscard]] int major() const { return major_; }
  [[nodiscard]] const std::string& what() const { return what_; }
  [[nodiscard]] bool readable() const { return readable_; }
  [[nodiscard]] std::string EditedText() const;
  [[nodiscard]] ast::Marks EditedMarks() const;
  void Repair(ast::Statement& statement) const;

 private:
  struct Place {
    std::size_t depth = 0;
    std::size_t partner = 0;
    std::size_t command = 0;  // commas outside of brackets before it
  };
  struct Edit {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string text;
  };

  [[nodiscard]] std::vector<Edit> SortedEdits() const;

  std::string_view text_;
  std::vector<grammar::Token> tokens_;
  std::vector<Place> places_;
  std::vector<Edit> edits_;
  std::vector<std::pair<std::size_t, ast::Mark>> marks_;  // by token
  std::vector<std::function<void(ast::Statement&)>> repairs_;
  int major_ = 0;
  std::string what_;
  bool readable_ = true;
};

// Whether a form starts at the token; if so, it is edited. Each is called for every token in turn.
using Form = void (*)(Rewriting&, std::size_t token);

[[nodiscard]] std::vector<Form> ConstraintForms();
[[nodiscard]] std::vector<Form> TableForms();
[[nodiscard]] std::vector<Form> StatementForms();
[[nodiscard]] std::vector<Form> ExpressionForms();

}  // namespace pgalter::sql::newer
