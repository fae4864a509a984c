#include "cli/evidence/secret.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cctype>
#include <string>

namespace pgalter::cli::evidence {

namespace {

namespace json = boost::json;

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Words in lower case and single other bytes; comments and blanks are none. Quotes are bytes like
// others, so that what stands in a text is looked at as well.
class Pieces {
 public:
  explicit Pieces(std::string_view sql) : rest_(sql) {}

  std::string Next() {
    while (SkipBlank() || SkipComment()) {
    }
    std::string piece;
    while (!rest_.empty() && IsWordByte(rest_.front())) {
      piece += static_cast<char>(std::tolower(static_cast<unsigned char>(rest_.front())));
      rest_.remove_prefix(1);
    }
    if (!piece.empty() || rest_.empty()) return piece;
    piece = rest_.substr(0, 1);
    rest_.remove_prefix(1);
    return piece;
  }

 private:
  bool SkipBlank() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0)
      rest_.remove_prefix(1);
    return rest_.size() != before;
  }
  bool SkipComment() {
    std::string_view end;
    if (rest_.starts_with("--")) end = "\n";
    if (rest_.starts_with("/*")) end = "*/";
    if (end.empty()) return false;
    const std::size_t at = rest_.find(end);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
    return true;
  }

  std::string_view rest_;
};

bool BeginsText(const std::string& piece) {
  return piece == "'" || piece == "$" || piece == "e" || piece == "u";
}

bool Tells(const std::string& before, const std::string& piece) {
  if (before == "password") return BeginsText(piece) || piece == "=";
  if (before == "connection") return BeginsText(piece);
  if (before == "user") return piece == "mapping";
  if (before == "create" || before == "alter") return piece == "server";
  return before.starts_with("dblink") && piece == "(";
}

// postgres://name:word@host
bool HasUrlWithUser(std::string_view sql) {
  for (std::size_t at = sql.find("://"); at != std::string_view::npos;
       at = sql.find("://", at + 3)) {
    const std::size_t end = sql.find_first_of(" \t\n'\"/@", at + 3);
    if (end != std::string_view::npos && sql[end] == '@') return true;
  }
  return false;
}

}  // namespace

bool CanHoldSecret(std::string_view sql) {
  Pieces pieces(sql);
  std::string before;
  for (std::string piece = pieces.Next(); !piece.empty(); piece = pieces.Next()) {
    if (Tells(before, piece)) return true;
    before = std::move(piece);
  }
  return HasUrlWithUser(sql);
}

int HideSecrets(json::value& value) {
  int hidden = 0;
  if (value.is_string() && CanHoldSecret(std::string_view(value.get_string()))) {
    value = "(not shown: it can hold a password or a connection string)";
    return 1;
  }
  if (value.is_array())
    for (json::value& item : value.get_array()) hidden += HideSecrets(item);
  if (value.is_object())
    for (auto& member : value.get_object()) hidden += HideSecrets(member.value());
  return hidden;
}

}  // namespace pgalter::cli::evidence
