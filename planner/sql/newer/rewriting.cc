#include "planner/sql/newer/rewriting.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "planner/sql/ast/source.h"
#include "planner/sql/text.h"

namespace pgalter::sql::newer {

Rewriting::Rewriting(std::string_view text, std::vector<grammar::Token> tokens)
    : text_(text), tokens_(std::move(tokens)), places_(tokens_.size()) {
  std::vector<std::size_t> open;
  std::size_t command = 0;
  for (std::size_t at = 0; at < tokens_.size(); ++at) {
    const auto kind = tokens_[at].kind;
    if (ast::Closes(kind) && !open.empty()) {
      places_[at].partner = open.back();
      places_[open.back()].partner = at;
      open.pop_back();
    } else {
      places_[at].partner = tokens_.size();
    }
    places_[at].depth = open.size();
    places_[at].command = command;
    if (ast::Opens(kind)) open.push_back(at);
    if (open.empty() && kind == pg_query::ASCII_44) ++command;
  }
}

bool Rewriting::Is(std::size_t token, std::string_view word) const {
  return token < size() && IsWord(tokens_[token].In(text_), word);
}

bool Rewriting::Are(std::size_t token, std::initializer_list<std::string_view> words) const {
  return std::ranges::all_of(words, [&](std::string_view word) { return Is(token++, word); });
}

bool Rewriting::IsAny(std::size_t token, std::initializer_list<std::string_view> words) const {
  return std::ranges::any_of(words, [&](std::string_view word) { return Is(token, word); });
}

std::string_view Rewriting::Text(std::size_t first, std::size_t last) const {
  if (first >= last || last > size()) return {};
  return text_.substr(tokens_[first].begin, tokens_[last - 1].end - tokens_[first].begin);
}

std::size_t Rewriting::EndOfPart(std::size_t token) const {
  std::size_t looked = 0;
  for (std::size_t at = token; at < size();) {
    if (Is(at, ",") || Is(at, ")") || ++looked > kReach) return at;
    const bool opens = ast::Opens(tokens_[at].kind);
    at = (opens ? std::min(Partner(at), size() - 1) : at) + 1;
  }
  return size();
}

std::size_t Rewriting::StartOfConstraint(std::size_t token) const {
  return token >= 2 && Is(token - 2, "constraint") ? token - 2 : token;
}

void Rewriting::Found(int major, std::string_view what) {
  if (major <= major_) return;
  major_ = major;
  what_ = what;
}

void Rewriting::Replace(std::size_t first, std::size_t last, std::string text) {
  if (first >= last || last > size()) return;
  edits_.push_back({tokens_[first].begin, tokens_[last - 1].end, std::move(text)});
}

void Rewriting::Mark(std::size_t constraint, ast::Mark mark) {
  marks_.emplace_back(constraint, mark);
}

void Rewriting::Afterwards(std::function<void(ast::Statement&)> repair) {
  repairs_.push_back(std::move(repair));
}

void Rewriting::AfterwardsInCommand(std::size_t token,
                                    std::function<void(ast::TableCommand&)> repair) {
  Afterwards(
      [command = places_[token].command, repair = std::move(repair)](ast::Statement& statement) {
        auto* alter = std::get_if<ast::AlterTable>(&statement.body);
        if (alter != nullptr && command < alter->commands.size()) repair(alter->commands[command]);
      });
}

// Two forms may claim the same words; the first that did keeps them.
std::vector<Rewriting::Edit> Rewriting::SortedEdits() const {
  std::vector<Edit> edits = edits_;
  std::ranges::stable_sort(edits, {}, &Edit::begin);
  std::size_t end = 0;
  std::erase_if(edits, [&](const Edit& edit) {
    if (edit.begin < end) return true;
    end = edit.end;
    return false;
  });
  return edits;
}

std::string Rewriting::EditedText() const {
  std::string edited;
  std::size_t copied = 0;
  for (const Edit& edit : SortedEdits()) {
    edited += text_.substr(copied, edit.begin - copied);
    edited += edit.text;
    copied = edit.end;
  }
  return edited += text_.substr(copied);
}

ast::Marks Rewriting::EditedMarks() const {
  std::vector<std::pair<std::size_t, std::ptrdiff_t>> moves;  // behind the offset, by so much
  std::ptrdiff_t moved = 0;
  for (const Edit& edit : SortedEdits()) {
    moved += static_cast<std::ptrdiff_t>(edit.text.size()) -
             static_cast<std::ptrdiff_t>(edit.end - edit.begin);
    moves.emplace_back(edit.end, moved);
  }
  ast::Marks marks;
  for (const auto& [token, mark] : marks_) {
    const std::size_t begin = tokens_[token].begin;
    const auto next =
        std::ranges::upper_bound(moves, begin, {}, &std::pair<std::size_t, std::ptrdiff_t>::first);
    const std::ptrdiff_t by = next == moves.begin() ? 0 : std::prev(next)->second;
    marks.emplace(static_cast<int>(static_cast<std::ptrdiff_t>(begin) + by), mark);
  }
  return marks;
}

void Rewriting::Repair(ast::Statement& statement) const {
  for (const auto& repair : repairs_) repair(statement);
}

}  // namespace pgalter::sql::newer
