#pragma once

// A statement's words, for cutting and editing its text: what is written anew out of a user's
// statement keeps the user's own text wherever that goes.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/result.h"

namespace pgalter::sql {

class Words {
 public:
  struct Word {
    std::size_t begin = 0;  // bytes of the text
    std::size_t end = 0;
    int depth = 0;  // brackets around it; a bracket itself is outside of what it holds
  };

  // Comments are left out, and semicolons at the end.
  [[nodiscard]] static Result<Words> Read(std::string_view text);

  [[nodiscard]] std::size_t size() const { return words_.size(); }
  [[nodiscard]] std::string_view At(std::size_t word) const;  // "" past the end
  [[nodiscard]] const Word& Place(std::size_t word) const { return words_.at(word); }

  // Whether the word is this keyword or sign, given in lower case. A quoted name is no keyword.
  [[nodiscard]] bool Is(std::size_t word, std::string_view lower_case) const;
  // Whether these follow one another from `word` on.
  [[nodiscard]] bool Are(std::size_t word, std::initializer_list<std::string_view> keywords) const;
  // The first at this keyword outside of brackets; size() if there is none.
  [[nodiscard]] std::size_t Find(std::string_view keyword, std::size_t from = 0) const;
  // One past the name, qualified or not, that starts here.
  [[nodiscard]] std::size_t AfterName(std::size_t word) const;

  // The text from one word up to, and without, another.
  [[nodiscard]] std::string Cut(std::size_t first, std::size_t last) const;
  // The same, split at commas outside of brackets.
  [[nodiscard]] std::vector<std::string> Parts(std::size_t first, std::size_t last) const;
  // The whole, with the words [first, last) replaced.
  [[nodiscard]] std::string Replace(std::size_t first, std::size_t last, std::string_view by) const;

 private:
  std::string text_;
  std::vector<Word> words_;
};

}  // namespace pgalter::sql
