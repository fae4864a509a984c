#include "migrations/convert/draft.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "migrations/formats/own_file.h"
#include "migrations/formats/reader.h"
#include "migrations/formats/text.h"
#include "migrations/history/new_name.h"
#include "planner/sql/script.h"
#include "planner/sql/text.h"

namespace pgalter::convert {

namespace {

using history::Migration;
using sql::Piece;
using sql::PieceKind;

bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool KeepsVersions(const std::vector<Migration>& all) {
  std::set<std::string> seen;
  return std::ranges::all_of(all, [&](const Migration& migration) {
    return IsNumber(migration.version) && seen.insert(migration.version).second;
  });
}

std::vector<Piece> PiecesOf(const std::string& text) {
  std::vector<Piece> pieces = sql::SplitScript(text);
  std::erase_if(pieces, [](const Piece& piece) { return piece.kind == PieceKind::kComments; });
  return pieces;
}

// goose and Atlas tell a file of theirs by these, wherever they stand. What they say is said by the
// header and by BEGIN and COMMIT.
void BlankMarks(std::string& text) {
  const std::string before = text;
  for (const Piece& piece : sql::SplitScript(before))
    for (const sql::Comment& comment : piece.comments)
      if (formats::AfterMark(comment.text, "+goose") ||
          formats::AfterMark(comment.text, "atlas:txmode") ||
          formats::AfterMark(comment.text, "atlas:delimiter") ||
          formats::AfterMark(comment.text, "atlas:checkpoint"))
        formats::Blank(text, comment.span);
}

// Without the blank lines around it; each statement with its semicolon.
std::string Body(const std::string& text) {
  std::string body = Terminated(text);
  BlankMarks(body);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (body.starts_with(kByteOrderMark)) body.erase(0, kByteOrderMark.size());
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  const std::size_t begin = body.rfind('\n', first);
  body.erase(0, begin == std::string::npos ? 0 : begin + 1);
  body.erase(body.find_last_not_of(" \t\r\n") + 1);
  return body + "\n";
}

std::string OneLine(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

bool IsText(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = text[at] == '\0' ? 0 : sql::CharacterSize(text.substr(at));
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string SumOf(const std::string& text) { return history::ChecksumsOf("", text, {}).statements; }

class Drafting {
 public:
  explicit Drafting(const history::Collection& collection)
      : all_(collection.migrations), keeps_(KeepsVersions(all_)) {
    for (std::size_t i = 0; i < all_.size(); ++i) versions_[all_[i].version] = VersionAt(i);
  }

  Drafts Make() {
    for (std::size_t i = 0; i < all_.size(); ++i) Add(i);
    return std::move(drafts_);
  }

 private:
  [[nodiscard]] std::string VersionAt(std::size_t at) const {
    return keeps_ ? all_[at].version : fmt::format("{:04}", at + 1);
  }
  void Add(std::size_t at);
  [[nodiscard]] std::string HeaderOf(std::size_t at) const;
  [[nodiscard]] std::string DependsOn(std::size_t at) const;
  static std::string Section(const history::Script& script, std::string_view name);
  void Check(const Draft& draft);

  const std::vector<Migration>& all_;
  bool keeps_;
  std::map<std::string, std::string> versions_;
  Drafts drafts_;
};

// What stands right before it comes before it in any case.
std::string Drafting::DependsOn(std::size_t at) const {
  std::vector<std::string> versions;
  for (const std::string& on : all_[at].depends_on) {
    const auto found = versions_.find(on);
    if (found != versions_.end()) versions.push_back(found->second);
  }
  if (versions.size() == 1 && at > 0 && versions.front() == VersionAt(at - 1)) return "";
  return fmt::format("{}", fmt::join(versions, " "));
}

std::string Drafting::HeaderOf(std::size_t at) const {
  const Migration& migration = all_[at];
  std::string header = "-- pgalter: 1\n";
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) header += fmt::format("-- {}: {}\n", key, OneLine(value));
  };
  add("title", migration.title);
  add("origin", fmt::format("{} {}", migration.format, migration.version));
  add("depends_on", DependsOn(at));
  if (migration.up.may_be_alone) header += "-- transaction: none\n";
  if (migration.up.rebuild_matviews) header += "-- rebuild_matviews: yes\n";
  return header;
}

std::string Drafting::Section(const history::Script& script, std::string_view name) {
  const std::vector<Piece> pieces = PiecesOf(script.text);
  const std::string body = Body(script.text);
  const bool wrap = script.together && pieces.size() > 1;
  return fmt::format("\n-- pgalter:{}\n{}{}{}", name, wrap ? "BEGIN;\n" : "", body,
                     wrap ? "COMMIT;\n" : "");
}

void Drafting::Add(std::size_t at) {
  const Migration& migration = all_[at];
  const auto marked = [](const formats::Section& section) {
    return section.kind != formats::SectionKind::kUp;
  };
  if (std::ranges::any_of(migration.sections, marked))
    return drafts_.problems.push_back(
        fmt::format("{} cannot be written as a file of statements alone: rows are changed in it, "
                    "or something waits for the programs. `pgalter up` applies the directory as it "
                    "is",
                    migration.file));
  Draft draft;
  draft.source = &migration;
  draft.version = VersionAt(at);
  const std::string slug = history::SlugOf(migration.title);
  draft.file = fmt::format("{}_{}.sql", draft.version, slug.empty() ? "migration" : slug);
  draft.text = HeaderOf(at) + Section(migration.up, "up");
  if (migration.down) draft.text += Section(*migration.down, "down");
  Check(draft);
  drafts_.drafts.push_back(std::move(draft));
}

// Read again as `up` will read it: a mark of ours in a string, say, would cut a statement in two.
void Drafting::Check(const Draft& draft) {
  const formats::OwnFile own = formats::ReadOwnFile(draft.text);
  const std::size_t wanted = draft.source->down ? 2 : 1;
  const auto refuse = [&](std::string_view why) {
    drafts_.problems.push_back(
        fmt::format("{} cannot be written as a file of pgalter: {}", draft.source->file, why));
  };
  if (!IsText(draft.text)) return refuse("it holds bytes that are not UTF-8");
  if (!own.problems.empty())
    return refuse(fmt::format("line {}: {}", own.problems.front().line, own.problems.front().what));
  if (own.sections.size() != wanted)
    return refuse("a line of it is a mark of a section, -- pgalter:…");
  formats::Reader reader({});
  reader.AddText(draft.text);
  if (const std::string as = reader.Take().formats.front(); as != "pgalter")
    return refuse(fmt::format("a line of it is a mark of {}", as));
  const auto same = [&](std::size_t section, const history::Script& script) {
    const sql::Span span = own.sections[section].body;
    std::string text = draft.text.substr(span.begin, span.end - span.begin);
    if (script.together && PiecesOf(script.text).size() > 1) {
      const std::vector<Piece> pieces = PiecesOf(text);
      text = text.substr(pieces.front().span.end + 1,
                         pieces.back().span.begin - pieces.front().span.end - 1);
    }
    return SumOf(text) == SumOf(script.text);
  };
  if (!same(0, draft.source->up) || (draft.source->down && !same(1, *draft.source->down)))
    refuse("its statements would not be the same ones");
}

}  // namespace

std::string Terminated(std::string text) {
  const std::vector<Piece> pieces = PiecesOf(text);
  if (pieces.empty() || pieces.back().kind != PieceKind::kStatement) return text;
  const std::size_t end = pieces.back().span.end;
  const std::size_t next = text.find_first_not_of(" \t\r\n", end);
  if (next == std::string::npos || text[next] != ';') text.insert(end, ";");
  return text;
}

Drafts MakeDrafts(const history::Collection& collection) { return Drafting(collection).Make(); }

}  // namespace pgalter::convert
