#include "planner/sql/grammar.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <pg_query.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "planner/sql/text.h"

namespace pgalter::sql::grammar {
namespace {

// The library's own recursion passes 10,000 levels on an 8 MB stack and dies before 30,000; a level
// takes a token.
constexpr std::size_t kMaxNestedTokens = 10'000;
// Ours (reading the tree, walking it, freeing it) is held lower; one level of an expression takes
// two messages.
constexpr int kMaxMessageDepth = 4'000;

Error NestedTooDeeply() {
  return Error{"the statement is nested too deeply, or has too long a chain of operators", 0,
               "split it into smaller expressions; put long lists of values into IN (…)"};
}

// While it works the library points the process's standard error at a pipe of its own: two calls at
// once could leave it there for good.
std::mutex& LibraryMutex() {
  static std::mutex mutex;
  return mutex;
}

template <auto kFree>
struct Freed {
  template <class T>
  struct Holder {
    explicit Holder(T result) : value(result) {}
    ~Holder() { kFree(value); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    T value;
  };
  template <class T>
  static Holder<T> Hold(T result) {
    return Holder<T>(result);
  }
};

Error FromLibrary(const PgQueryError& error) {
  return Error{error.message != nullptr ? error.message : "unknown error", error.cursorpos, ""};
}

std::size_t EndOfToken(std::string_view text, std::size_t begin, std::size_t limit) {
  while (limit > begin && IsSpace(text[limit - 1])) --limit;
  return limit;
}

Result<std::vector<Token>> ScanTokens(const std::string& text) {
  const std::scoped_lock lock(LibraryMutex());
  const auto scanned = Freed<&pg_query_free_scan_result>::Hold(pg_query_scan(text.c_str()));
  if (scanned.value.error != nullptr) return FromLibrary(*scanned.value.error);
  pg_query::ScanResult tree;
  if (!tree.ParseFromArray(scanned.value.pbuf.data, static_cast<int>(scanned.value.pbuf.len))) {
    return Error{"the scanner's answer cannot be read", 0, ""};
  }
  std::vector<Token> tokens;
  tokens.reserve(static_cast<std::size_t>(tree.tokens_size()));
  for (int i = 0; i < tree.tokens_size(); ++i) {
    const auto& token = tree.tokens(i);
    // The library names wrong ends for U&'…' and U&"…". Only white space stands between two tokens,
    // so the next one's start tells.
    const auto begin = static_cast<std::size_t>(token.start());
    const bool is_last = i + 1 == tree.tokens_size();
    const auto limit = is_last ? text.size() : static_cast<std::size_t>(tree.tokens(i + 1).start());
    tokens.push_back({begin, EndOfToken(text, begin, limit), token.token()});
  }
  return tokens;
}

// An upper bound of how deep the tree gets. Within one pair of brackets and between two commas each
// level takes at least a token: chains such as 1+1+1… are as deep as they are long, and what stands
// in brackets may be the deep end of the chain around them.
bool NestsTooDeeply(const std::vector<Token>& tokens) {
  struct Level {
    std::size_t longest = 0;  // of the parts before this one
    std::size_t part = 0;
  };
  std::vector<Level> levels(1);
  std::size_t total = 0;  // of the parts that are open
  for (const Token& token : tokens) {
    Level& level = levels.back();
    switch (token.kind) {
      case pg_query::ASCII_40:  // (
      case pg_query::ASCII_91:  // [
        ++level.part;
        ++total;
        levels.emplace_back();
        break;
      case pg_query::ASCII_41:    // )
      case pg_query::ASCII_93: {  // ]
        if (levels.size() == 1) break;
        const std::size_t inside = std::max(level.longest, level.part);
        total += inside - level.part;
        levels.pop_back();
        levels.back().part += inside;
        break;
      }
      case pg_query::ASCII_44:  // ,
      case pg_query::ASCII_59:  // ;
        level.longest = std::max(level.longest, level.part);
        total -= std::exchange(level.part, 0);
        break;
      case pg_query::SQL_COMMENT:
      case pg_query::C_COMMENT:
        break;
      default:
        ++level.part;
        ++total;
    }
    if (total > kMaxNestedTokens) return true;
  }
  return false;
}

// Why the text is not given to the library's parser. A text has no more tokens than bytes: most
// need not be scanned to be known as flat enough.
std::optional<Error> RefuseDeep(std::string_view text) {
  if (auto error = RefuseUnreadable(text)) return error;
  if (text.size() <= kMaxNestedTokens) return std::nullopt;
  const auto tokens = ScanTokens(std::string(text));
  if (!tokens) return tokens.error();
  if (NestsTooDeeply(*tokens)) return NestedTooDeeply();
  return std::nullopt;
}

std::optional<Error> ParseInto(pg_query::ParseResult& tree, std::string_view text) {
  if (auto error = RefuseDeep(text)) return error;
  const std::string terminated(text);
  const std::scoped_lock lock(LibraryMutex());
  const auto parsed = Freed<&pg_query_free_protobuf_parse_result>::Hold(
      pg_query_parse_protobuf(terminated.c_str()));
  if (parsed.value.error != nullptr) return FromLibrary(*parsed.value.error);
  const auto& bytes = parsed.value.parse_tree;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data),
                                                static_cast<int>(bytes.len));
  stream.SetRecursionLimit(kMaxMessageDepth);
  if (!tree.ParseFromCodedStream(&stream)) return NestedTooDeeply();
  return std::nullopt;
}

}  // namespace

Result<std::vector<Token>> Scan(std::string_view text) {
  if (auto error = RefuseUnreadable(text)) return *std::move(error);
  return ScanTokens(std::string(text));
}

Result<pg_query::ParseResult> Parse(std::string_view text) {
  pg_query::ParseResult tree;
  if (auto error = ParseInto(tree, text)) return *std::move(error);
  return tree;
}

Result<Tree> ParseTree(std::string_view text) {
  Tree tree{std::make_unique<google::protobuf::Arena>(), nullptr};
  auto* root = google::protobuf::Arena::CreateMessage<pg_query::ParseResult>(tree.arena.get());
  if (auto error = ParseInto(*root, text)) return *std::move(error);
  tree.root = root;
  return tree;
}

Result<std::string> ParsePlpgsql(std::string_view statement, std::string_view body) {
  for (const std::string_view text : {statement, body}) {
    if (auto error = RefuseDeep(text)) return *std::move(error);
  }
  const std::string terminated(statement);
  const std::scoped_lock lock(LibraryMutex());
  const auto parsed =
      Freed<&pg_query_free_plpgsql_parse_result>::Hold(pg_query_parse_plpgsql(terminated.c_str()));
  if (parsed.value.error != nullptr) return FromLibrary(*parsed.value.error);
  return std::string(parsed.value.plpgsql_funcs);
}

Result<std::string> Fingerprint(std::string_view text) {
  if (auto error = RefuseDeep(text)) return *std::move(error);
  const std::string terminated(text);
  const std::scoped_lock lock(LibraryMutex());
  const auto made =
      Freed<&pg_query_free_fingerprint_result>::Hold(pg_query_fingerprint(terminated.c_str()));
  if (made.value.error != nullptr) return FromLibrary(*made.value.error);
  return std::string(made.value.fingerprint_str);
}

Result<std::string> Deparse(std::string_view text) {
  if (auto error = RefuseDeep(text)) return *std::move(error);
  const std::string terminated(text);
  const std::scoped_lock lock(LibraryMutex());
  const auto parsed = Freed<&pg_query_free_protobuf_parse_result>::Hold(
      pg_query_parse_protobuf(terminated.c_str()));
  if (parsed.value.error != nullptr) return FromLibrary(*parsed.value.error);
  const auto written = Freed<&pg_query_free_deparse_result>::Hold(
      pg_query_deparse_protobuf(parsed.value.parse_tree));
  if (written.value.error != nullptr) return FromLibrary(*written.value.error);
  return std::string(written.value.query);
}

}  // namespace pgalter::sql::grammar
