#include "planner/sql/script.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "planner/sql/psql_command.h"
#include "planner/sql/script_lexer.h"
#include "planner/sql/text.h"

namespace pgalter::sql {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// UTF-16 or UTF-32: by its byte order mark, or by the zero byte beside each of the first letters.
bool IsWide(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return true;
  if (text.size() < 4) return false;
  const auto zero = [&](std::size_t at) { return text[at] == '\0'; };
  return zero(0) == zero(2) && zero(1) == zero(3) && zero(0) != zero(1);
}

// Looking for the end of a quote that has none takes the rest of the text, and then a part of it is
// read again. After as many of them, a quote may not go past what looks like a statement.
constexpr int kMostRecoveries = 8;

// Where to take up again if a quote turns out to have no end.
struct Suspect {
  std::size_t statement = 0;
  std::size_t quote = 0;  // the first in it that spans lines
  std::size_t pieces = 0;
  bool backslash_escapes = false;
};

class Splitter {
 public:
  explicit Splitter(std::string_view text)
      : text_(text), lexer_(text), valid_(!RefuseUnreadable(text)) {}

  std::vector<Piece> Run();

 private:
  [[nodiscard]] std::string_view Text(Span span) const {
    return text_.substr(span.begin, span.end - span.begin);
  }
  [[nodiscard]] bool Creates(std::string_view kind) const;
  [[nodiscard]] bool GoesOnAfterSemicolon() const;
  void Extend(const Token& token);
  void ReadWord(std::string_view word);
  void NoteQuote(const Token& token);
  void EndStatement();
  void Begin(std::size_t at);
  void Add(PieceKind kind, Span span);
  void MakeValid(Piece& piece) const;
  void ReadBackslash(std::size_t at);
  void ReadCopyData();
  [[nodiscard]] std::size_t CopyDataEnd(std::size_t begin);
  [[nodiscard]] std::size_t IndentOf(std::size_t at) const;
  void NoteSetting();
  void Recover(std::size_t problem, std::size_t limit);

  std::string_view text_;
  ScriptLexer lexer_;
  bool valid_;
  std::vector<Piece> pieces_;
  std::vector<Comment> comments_;
  std::optional<Suspect> suspect_;
  int recoveries_ = 0;
  std::size_t no_copy_end_ = std::string_view::npos;  // from there on, no line \.

  // The statement that is being read.
  std::optional<Span> statement_;
  std::array<std::string_view, 4> first_words_;
  std::size_t words_ = 0;
  Token previous_;
  std::optional<std::size_t> first_long_quote_;
  std::vector<Span> quoted_;  // kept for text that is not valid only
  std::size_t atomic_depth_ = 0;
  bool copies_from_stdin_ = false;
};

std::vector<Piece> Splitter::Run() {
  Begin(text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  for (;;) {
    const Token token = lexer_.Next();
    switch (token.kind) {
      case TokenKind::kEnd:
        if (statement_ && GoesOnAfterSemicolon()) {
          Recover(statement_->begin, text_.size());
          break;
        }
        EndStatement();
        if (!comments_.empty()) Add(PieceKind::kComments, token.span);
        return std::move(pieces_);
      case TokenKind::kUnclosed:
        Recover(token.span.begin, token.span.end);
        break;
      case TokenKind::kComment:
        comments_.push_back({token.span, Text(token.span)});
        break;
      case TokenKind::kSemicolon:
        if (GoesOnAfterSemicolon()) {
          Extend(token);
        } else {
          EndStatement();
        }
        break;
      case TokenKind::kBackslash:
        ReadBackslash(token.span.begin);
        break;
      default:
        Extend(token);
    }
  }
}

// CREATE [OR REPLACE] kind
bool Splitter::Creates(std::string_view kind) const {
  return IsWord(first_words_[0], "create") &&
         (IsWord(first_words_[1], kind) ||
          (IsWord(first_words_[1], "or") && IsWord(first_words_[3], kind)));
}

bool Splitter::GoesOnAfterSemicolon() const {
  if (lexer_.limited()) return false;
  return atomic_depth_ > 0 || (lexer_.depth() > 0 && Creates("rule"));
}

void Splitter::Extend(const Token& token) {
  if (!statement_) statement_ = token.span;
  statement_->end = token.span.end;
  if (token.kind == TokenKind::kWord) ReadWord(Text(token.span));
  if (token.kind == TokenKind::kString || token.kind == TokenKind::kQuotedName ||
      token.kind == TokenKind::kDollarQuote)
    NoteQuote(token);
  previous_ = token;
}

void Splitter::ReadWord(std::string_view word) {
  if (words_ < first_words_.size()) first_words_[words_] = word;
  ++words_;
  const auto previous = Text(previous_.span);
  if (lexer_.depth() == 0 && IsWord(word, "stdin") && IsWord(previous, "from") &&
      IsWord(first_words_[0], "copy"))
    copies_from_stdin_ = true;
  // A column may be named by these words after a dot or AS.
  if (previous == "." || IsWord(previous, "as")) return;
  if (atomic_depth_ == 0) {
    if (IsWord(word, "atomic") && IsWord(previous, "begin") &&
        (Creates("function") || Creates("procedure")))
      atomic_depth_ = 1;
  } else if (IsWord(word, "case")) {
    ++atomic_depth_;
  } else if (IsWord(word, "end")) {
    --atomic_depth_;
  }
}

void Splitter::NoteQuote(const Token& token) {
  if (!valid_) quoted_.push_back(token.span);
  if (first_long_quote_ ||
      LineEnd(text_.substr(0, token.span.end), token.span.begin) == token.span.end)
    return;
  first_long_quote_ = token.span.begin;
  // A string across the end of a statement may be the gap between two strings, turned inside out by
  // a quote that is missing further up. Should the text end inside a string, this was where.
  if (suspect_ || token.kind == TokenKind::kDollarQuote) return;
  const std::size_t line = FindStatementLine(text_.substr(0, token.span.end), token.span.begin,
                                             IndentOf(statement_->begin));
  if (line < token.span.end)
    suspect_ =
        Suspect{statement_->begin, token.span.begin, pieces_.size(), lexer_.backslash_escapes()};
}

void Splitter::EndStatement() {
  if (statement_) Add(PieceKind::kStatement, *statement_);
  NoteSetting();
  const bool data_follows = std::exchange(copies_from_stdin_, false);
  Begin(lexer_.at());
  if (data_follows) ReadCopyData();
}

void Splitter::Begin(std::size_t at) {
  lexer_.StartStatement(at);
  statement_.reset();
  first_words_.fill({});
  words_ = 0;
  previous_ = Token{};
  first_long_quote_.reset();
  quoted_.clear();
  atomic_depth_ = 0;
  copies_from_stdin_ = false;
}

void Splitter::Add(PieceKind kind, Span span) {
  Piece piece;
  piece.kind = kind;
  piece.span = span;
  piece.sql = Text(span);
  piece.comments = std::exchange(comments_, {});
  if (kind == PieceKind::kStatement) {
    piece.has_placeholder = lexer_.has_placeholder();
    for (const Edit& edit : lexer_.edits())
      piece.sql.replace(edit.at - span.begin, edit.text.size(), edit.text);
  }
  if (!valid_) MakeValid(piece);
  pieces_.push_back(std::move(piece));
}

void Splitter::MakeValid(Piece& piece) const {
  auto quoted = quoted_.begin();
  auto comment = piece.comments.begin();
  const auto holds = [](auto& next, auto end, std::size_t at, auto span_of) {
    while (next != end && span_of(*next).end <= at) ++next;
    return next != end && span_of(*next).begin <= at;
  };
  for (std::size_t i = 0; i < piece.sql.size();) {
    const std::size_t size = CharacterSize(std::string_view(piece.sql).substr(i));
    if (size > 0 && piece.sql[i] != '\0') {
      i += size;
      continue;
    }
    piece.has_invalid_utf8 = true;
    const std::size_t at = piece.span.begin + i;
    const bool in_text =
        piece.kind != PieceKind::kStatement ||
        holds(quoted, quoted_.end(), at, [](const Span& span) { return span; }) ||
        holds(comment, piece.comments.end(), at, [](const Comment& note) { return note.span; });
    if (in_text) {
      piece.sql[i] = '?';
    } else {
      piece.sql[i] = piece.sql[i] == '\0' ? ' ' : '_';
    }
    ++i;
  }
}

void Splitter::ReadBackslash(std::size_t at) {
  const char next = at + 1 < text_.size() ? text_[at + 1] : '\0';
  if (next == ';') {
    lexer_.SkipTo(at + 2);
    EndStatement();
    return;
  }
  const auto command = ReadPsqlCommand(text_, at);
  if (!command) {
    Extend(Token{TokenKind::kOther, {at, at + 1}});
    return;
  }
  const Span span{at, command->end};
  if (statement_ && !command->sends_statement) {
    lexer_.Blank(span);
    Extend(Token{TokenKind::kOther, span});
    return;
  }
  const bool data_follows = copies_from_stdin_ || command->data_follows;
  lexer_.SkipTo(at);
  EndStatement();
  lexer_.SkipTo(span.end);
  Add(PieceKind::kMeta, span);
  if (data_follows) ReadCopyData();
}

// psql takes the lines after the one with the command.
void Splitter::ReadCopyData() {
  std::size_t at = lexer_.at();
  while (at < text_.size() && IsSpace(text_[at]) && !IsLineEnd(text_[at])) ++at;
  if (at < text_.size() && !IsLineEnd(text_[at])) {
    if (!text_.substr(at).starts_with("--")) return;
    const Token comment = lexer_.Next();
    comments_.push_back({comment.span, Text(comment.span)});
  }
  at = NextLine(text_, at);
  const std::size_t end = CopyDataEnd(at);
  if (at < end) Add(PieceKind::kCopyData, {at, end});
  Begin(std::max(end, lexer_.at()));
}

std::size_t Splitter::CopyDataEnd(std::size_t begin) {
  constexpr std::string_view kMark = "\\.";
  if (begin < no_copy_end_) {
    for (std::size_t i = text_.find(kMark, begin); i < text_.size(); i = text_.find(kMark, i)) {
      const bool first = i == begin || IsLineEnd(text_[i - 1]);
      i += kMark.size();
      if (first && (i == text_.size() || IsLineEnd(text_[i]))) return i;
    }
    no_copy_end_ = begin;
  }
  std::size_t line = begin;
  while (line < text_.size() && !LooksLikeStatement(text_, line)) line = NextLine(text_, line);
  return line;
}

std::size_t Splitter::IndentOf(std::size_t at) const {
  std::size_t line = at;
  while (line > 0 && !IsLineEnd(text_[line - 1]) && IsSpace(text_[line - 1])) --line;
  return line == 0 || IsLineEnd(text_[line - 1]) ? at - line : 0;
}

// SET [SESSION | LOCAL] standard_conforming_strings { = | TO } value
void Splitter::NoteSetting() {
  constexpr std::string_view kName = "standard_conforming_strings";
  const bool sets = IsWord(first_words_[0], "set");
  if (!sets && !IsWord(first_words_[0], "reset")) return;
  if (!IsWord(first_words_[1], kName) && !IsWord(first_words_[2], kName)) return;
  auto value = Text(previous_.span);
  if (value.size() > 1 && value.front() == '\'') value = value.substr(1, value.size() - 2);
  lexer_.SetBackslashEscapes(sets && (IsWord(value, "off") || IsWord(value, "false") ||
                                      IsWord(value, "no") || value == "0"));
}

// `problem`: where the quote or statement without an end begins; `limit`: how far its end was
// sought.
void Splitter::Recover(std::size_t problem, std::size_t limit) {
  Suspect from{statement_ ? statement_->begin : problem, first_long_quote_.value_or(problem),
               pieces_.size(), lexer_.backslash_escapes()};
  std::size_t resume = limit;
  if (!lexer_.limited()) {
    if (suspect_) from = *suspect_;
    resume = FindStatementLine(text_, from.quote, IndentOf(from.statement));
  }
  std::vector<Comment> comments;
  const auto keep = [&](const std::vector<Comment>& some) {
    std::ranges::copy_if(some, std::back_inserter(comments),
                         [&](const Comment& comment) { return comment.span.end <= resume; });
  };
  for (std::size_t i = from.pieces; i < pieces_.size(); ++i) keep(pieces_[i].comments);
  keep(comments_);
  comments_ = std::move(comments);
  pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(from.pieces), pieces_.end());

  std::size_t end = resume;
  while (end > from.statement + 1 && IsSpace(text_[end - 1])) --end;
  Add(PieceKind::kUnclosed, {from.statement, end});
  lexer_.SetBackslashEscapes(from.backslash_escapes);
  suspect_.reset();
  if (++recoveries_ == kMostRecoveries) lexer_.Limit();
  Begin(resume);
}

}  // namespace

std::vector<Piece> SplitScript(std::string_view text) {
  if (!IsWide(text)) return Splitter(text).Run();
  Piece whole;
  whole.kind = PieceKind::kWide;
  whole.span = {0, text.size()};
  whole.sql = std::string(text.size(), '?');
  whole.has_invalid_utf8 = true;
  return {whole};
}

}  // namespace pgalter::sql
