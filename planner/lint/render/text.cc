// For people: each finding with its line, who waits, and the way out; a summary at the end.
#include <fmt/format.h>

#include <algorithm>

#include "planner/lint/render/format.h"
#include "planner/lint/render/places.h"
#include "planner/lint/render/unicode.h"

namespace pgalter::lint {

namespace {

constexpr std::size_t kWidth = 100;      // of a paragraph
constexpr std::size_t kLineBytes = 160;  // of a source line; longer ones are cut
constexpr std::size_t kLeadBytes = 40;   // that are kept before the place
constexpr std::string_view kCut = "…";

class Painter {
 public:
  explicit Painter(Paint paint) : paint_(paint) {}
  [[nodiscard]] std::string operator()(std::string_view codes, std::string_view text) const {
    if (paint_ == Paint::kPlain) return std::string(text);
    return fmt::format("\x1B[{}m{}\x1B[0m", codes, text);
  }

 private:
  Paint paint_;
};

constexpr std::string_view kBold = "1";
constexpr std::string_view kDim = "2";

std::string_view ColorOf(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "1;31";
    case Severity::kWarning:
      return "1;33";
    case Severity::kNote:
      break;
  }
  return "1;36";
}

// Words up to the width, the later lines indented.
std::string Wrapped(std::string_view text, std::size_t indent) {
  std::string wrapped;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string word = Visible(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (column > indent && column + 1 + Cells(word) > kWidth) {
      wrapped += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += Cells(word);
  }
  return wrapped;
}

// One line of source and what of it is marked, cut to what a terminal shows.
struct Excerpt {
  std::string before;
  std::string marked;
  std::string after;
};

// Not inside a character.
std::size_t CharacterStart(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U)
    --at;
  return at;
}

std::string WithoutTabs(std::string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '\t', ' ');
  return Visible(plain);
}

Excerpt Cut(std::string_view line, std::size_t begin, std::size_t end) {
  begin = std::min(begin, line.size());
  end = std::clamp(end, begin, line.size());
  const bool long_line = line.size() > kLineBytes;
  const std::size_t from =
      long_line && begin > kLeadBytes ? CharacterStart(line, begin - kLeadBytes) : 0;
  const std::size_t to = CharacterStart(line, std::min(line.size(), from + kLineBytes));
  end = std::min(end, std::max(to, begin));
  Excerpt excerpt;
  excerpt.before = std::string(from > 0 ? kCut : "") + WithoutTabs(line.substr(from, begin - from));
  excerpt.marked = WithoutTabs(line.substr(begin, end - begin));
  if (to > end) excerpt.after = WithoutTabs(line.substr(end, to - end));
  if (to < line.size()) excerpt.after += kCut;
  return excerpt;
}

class TextRenderer {
 public:
  explicit TextRenderer(const Report& report)
      : report_(report), places_(report), paint_(report.paint) {}

  std::string Render() {
    for (const Finding& finding : report_.result.findings)
      if (StandingOf(report_, finding) == Standing::kCounts) Add(finding);
    const Tally tally = TallyOf(report_);
    text_ += paint_(tally.fails ? ColorOf(Severity::kError) : kBold, SummaryLine(tally)) + "\n";
    return std::move(text_);
  }

 private:
  void Add(const Finding& finding);
  void AddSource(const Finding& finding, const Region& region);
  void AddFact(std::string_view label, std::string_view fact);

  const Report& report_;
  Places places_;
  Painter paint_;
  std::string text_;
};

void TextRenderer::AddFact(std::string_view label, std::string_view fact) {
  constexpr std::size_t kIndent = 11;
  if (fact.empty()) return;
  text_ += fmt::format("  {}{}\n", paint_(kDim, fmt::format("{:<{}}", label, kIndent - 2)),
                       Wrapped(fact, kIndent));
}

void TextRenderer::AddSource(const Finding& finding, const Region& region) {
  const std::string_view line = places_.Line(finding.file, region.begin.line);
  const Source& file = report_.files.at(static_cast<std::size_t>(finding.file));
  const auto offset = static_cast<std::size_t>(line.data() - file.text.data());
  const std::size_t begin = finding.span.begin - std::min(offset, finding.span.begin);
  const bool one_line = region.end.line == region.begin.line;
  const Excerpt excerpt = Cut(line, begin, one_line ? finding.span.end - offset : line.size());
  const std::string number = std::to_string(region.begin.line);
  const std::string margin(number.size(), ' ');
  const std::size_t width = std::max<std::size_t>(Cells(excerpt.marked), 1);
  text_ += fmt::format("  {} {}{}{}\n", paint_(kDim, number + " |"), excerpt.before, excerpt.marked,
                       excerpt.after);
  text_ += fmt::format("  {} {}{}{}\n", paint_(kDim, margin + " |"),
                       std::string(Cells(excerpt.before), ' '),
                       paint_(ColorOf(finding.severity), std::string(width, '^')),
                       one_line ? "" : paint_(kDim, fmt::format(" to line {}", region.end.line)));
}

void TextRenderer::Add(const Finding& finding) {
  const Region region = places_.Of(finding);
  const Source& file = report_.files.at(static_cast<std::size_t>(finding.file));
  text_ += fmt::format(
      "{}: {}: {} {}\n",
      paint_(kBold,
             fmt::format("{}:{}:{}", Visible(file.name), region.begin.line, region.begin.column)),
      paint_(ColorOf(finding.severity), Name(finding.severity)), Visible(finding.message),
      paint_(kDim, fmt::format("[{}]", Visible(finding.rule))));
  if (!file.text.empty()) AddSource(finding, region);
  AddFact("lock", LockSentence(finding));
  if (finding.table_rewrite || finding.table_scan)
    AddFact("work",
            finding.table_rewrite ? "the table is written anew" : "the table is read whole");
  AddFact("instead", finding.remedy);
  if (!finding.fix.empty()) AddFact("fix", "pgalter lint --fix can write that");
  text_ += "\n";
}

}  // namespace

std::string RenderText(const Report& report) { return TextRenderer(report).Render(); }

}  // namespace pgalter::lint
