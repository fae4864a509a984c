#include "migrations/formats/own_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "migrations/formats/text.h"

namespace pgalter::formats {

namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kMark = "pgalter:";

struct Word {
  std::string_view name;
  SectionKind kind;
};

// The first of a kind is its name.
constexpr std::array kWords{
    Word{"up", SectionKind::kUp},         Word{"backfill", SectionKind::kBackfill},
    Word{"gate", SectionKind::kGate},     Word{"contract", SectionKind::kContract},
    Word{"verify", SectionKind::kVerify}, Word{"down", SectionKind::kDown},
    Word{"expand", SectionKind::kUp},     Word{"down-verify", SectionKind::kDownVerify},
};
// Marks that begin no section: they speak to lint.
constexpr std::array kNotes{"ignore"sv, "ignore-file"sv};

constexpr std::array kHeaderKeys{
    "title"sv,    "ticket"sv,        "author"sv,         "date"sv,
    "reviewer"sv, "class"sv,         "depends_on"sv,     "risk"sv,
    "impact"sv,   "compliance"sv,    "transaction"sv,    "irreversible"sv,
    "origin"sv,   "change"sv,        "conflicts_with"sv, "rebuild_matviews"sv,
    "prefer"sv,   "fire_triggers"sv,
};

struct Choice {
  std::string_view key;
  std::span<const std::string_view> values;
};
constexpr std::array kClasses{"schema"sv, "data"sv, "security"sv};
constexpr std::array kRisks{"low"sv, "medium"sv, "high"sv};
constexpr std::array kTransactions{"auto"sv, "single"sv, "none"sv};
constexpr std::array kYesOrNo{"yes"sv, "no"sv};
constexpr std::array kPrefer{"in-place"sv, "rebuild"sv};
constexpr std::array kChoices{
    Choice{"class", kClasses},
    Choice{"risk", kRisks},
    Choice{"transaction", kTransactions},
    Choice{"rebuild_matviews", kYesOrNo},
    Choice{"fire_triggers", kYesOrNo},
    Choice{"prefer", kPrefer},
};

constexpr std::array kBackfillKeys{"table"sv, "set"sv, "where"sv, "sync"sv};
constexpr std::array kGateKeys{"soak"sv, "reason"sv, "check"sv};
constexpr std::array kContractKeys{"soak"sv};
constexpr std::array kSyncs{"auto"sv, "keep"sv, "none"sv};

std::span<const std::string_view> KeysOf(SectionKind kind) {
  if (kind == SectionKind::kBackfill) return kBackfillKeys;
  if (kind == SectionKind::kGate) return kGateKeys;
  if (kind == SectionKind::kContract) return kContractKeys;
  return {};
}

bool Has(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::vector<std::string> Strings(std::span<const std::string_view> words) {
  return {words.begin(), words.end()};
}

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// One value: a bare word, or quoted, where the quote itself is written twice. `text` goes on behind
// it; nothing: the quote has no end.
std::optional<std::string> TakeValue(std::string_view& text) {
  std::string value;
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    value = text.substr(0, end);
    text.remove_prefix(end);
    return value;
  }
  const char quote = text[0];
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] != quote) {
      value += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == quote) {
      value += quote;
      ++at;
    } else {
      text.remove_prefix(at + 1);
      return value;
    }
  }
  return std::nullopt;
}

class Reading {
 public:
  explicit Reading(std::string_view text) : text_(text) {}

  OwnFile Read();

 private:
  void Problem(int line, std::string what, std::string_view typed = {},
               std::vector<std::string> known = {}) {
    file_.problems.push_back({line, std::move(what), std::string(typed), std::move(known)});
  }
  void TakeHeader(std::string_view line, int number);
  void TakeMark(std::string_view rest, const Line& line, int number);
  void TakeArguments(Section& section, std::string_view rest);
  void Begin(Section section, std::size_t end_of_last);
  void CheckArguments(const Section& section);
  void CheckOrder();
  void CheckBodies();
  [[nodiscard]] bool HasStatements(const Section& section) const;

  // Without "-- pgalter: 1" a comment may say anything.
  enum class HeaderIs { kLoose, kStrict, kOver };

  std::string_view text_;
  OwnFile file_;
  HeaderIs header_ = HeaderIs::kLoose;
};

void Reading::TakeHeader(std::string_view line, int number) {
  const auto text = AfterMark(line, "");
  if (!text) return;
  const std::size_t colon = text->find(':');
  const auto key = Trim(text->substr(0, colon));
  if (colon == std::string_view::npos || !Has(kHeaderKeys, key)) {
    if (header_ == HeaderIs::kStrict)
      Problem(number, Quoted(key) + " is no key of a header", key, Strings(kHeaderKeys));
    return;
  }
  const auto value = Trim(text->substr(colon + 1));
  if (value.empty()) {
    Problem(number, Quoted(key) + " has no value");
  } else if (!file_.Header(key).empty()) {
    Problem(number, Quoted(key) + " is there twice");
  }
  for (const Choice& choice : kChoices)
    if (choice.key == key && !Has(choice.values, value))
      Problem(number, Quoted(value) + " is no " + std::string(key), value, Strings(choice.values));
  file_.header.push_back({std::string(key), std::string(value), number});
}

void Reading::TakeArguments(Section& section, std::string_view rest) {
  const auto known = KeysOf(section.kind);
  for (rest = Trim(rest); !rest.empty(); rest = Trim(rest)) {
    const std::size_t sign = rest.find_first_of("= \t\"'");
    Argument argument;
    if (sign != std::string_view::npos && rest[sign] == '=') {
      argument.key = rest.substr(0, sign);
      rest.remove_prefix(sign + 1);
      if (!Has(known, argument.key))
        Problem(section.line,
                std::string(NameOf(section.kind)) + " does not take " + Quoted(argument.key),
                argument.key, Strings(known));
      else if (section.Find(argument.key))
        Problem(section.line, Quoted(argument.key) + " is there twice");
    }
    auto value = TakeValue(rest);
    if (!value) {
      Problem(section.line, "a quote has no end");
      return;
    }
    argument.value = *std::move(value);
    section.arguments.push_back(std::move(argument));
  }
}

void Reading::CheckArguments(const Section& section) {
  const std::string name(NameOf(section.kind));
  const auto words = std::ranges::count_if(
      section.arguments, [](const Argument& argument) { return argument.key.empty(); });
  if (section.kind == SectionKind::kGate && words != 1)
    Problem(section.line, "a gate has a name, and one: -- pgalter:gate app-deployed");
  if (section.kind != SectionKind::kGate && words != 0)
    Problem(section.line, name + " does not take " + Quoted(section.Find("").value_or("")));
  if (section.kind == SectionKind::kBackfill)
    for (const auto key : {"table"sv, "set"sv})
      if (section.Find(key).value_or("").empty())
        Problem(section.line, "backfill needs " + std::string(key) +
                                  "=: -- pgalter:backfill table=public.t set=\"c = 0\"");
  if (const auto sync = section.Find("sync"); sync && !Has(kSyncs, *sync))
    Problem(section.line, Quoted(*sync) + " is no way to keep in step", *sync, Strings(kSyncs));
  if (const auto soak = section.Find("soak"); soak && !ParseSoak(*soak))
    Problem(section.line, Quoted(*soak) + " is no time: write 7d, 24h, 30min or 90s");
}

void Reading::Begin(Section section, std::size_t end_of_last) {
  if (!file_.sections.empty()) file_.sections.back().body.end = end_of_last;
  file_.sections.push_back(std::move(section));
}

void Reading::TakeMark(std::string_view rest, const Line& line, int number) {
  const auto name = rest.substr(0, rest.find_first_of(" \t"));
  if (Has(kNotes, name)) return;
  const auto kind = FindSection(name);
  if (!kind) {
    std::vector<std::string> known;
    for (const Word& word : kWords) known.emplace_back(word.name);
    for (const auto note : kNotes) known.emplace_back(note);
    Problem(number, Quoted("-- pgalter:" + std::string(name)) + " is not known", name,
            std::move(known));
    return;
  }
  Section section{*kind, number, {line.next, text_.size()}, {}};
  TakeArguments(section, rest.substr(name.size()));
  CheckArguments(section);
  Begin(std::move(section), line.span.begin);
}

bool Reading::HasStatements(const Section& section) const {
  const auto pieces = sql::SplitScript(Cut(text_, section.body));
  return std::ranges::any_of(
      pieces, [](const sql::Piece& piece) { return piece.kind != sql::PieceKind::kComments; });
}

void Reading::CheckBodies() {
  for (const Section& section : file_.sections) {
    const bool mark_only =
        section.kind == SectionKind::kBackfill || section.kind == SectionKind::kGate;
    const bool empty = !HasStatements(section);
    if (mark_only && !empty)
      Problem(section.line, "statements stand below " + std::string(NameOf(section.kind)) +
                                ": begin a section for them, as -- pgalter:up");
    const bool asks =
        section.kind == SectionKind::kVerify || section.kind == SectionKind::kDownVerify;
    if (asks && empty)
      Problem(section.line, std::string(NameOf(section.kind)) + " has no statement");
  }
}

void Reading::CheckOrder() {
  bool way_up = true;
  for (const SectionKind once :
       {SectionKind::kVerify, SectionKind::kDown, SectionKind::kDownVerify})
    if (std::ranges::count(file_.sections, once, &Section::kind) > 1) {
      const auto again =
          std::ranges::find(file_.sections.rbegin(), file_.sections.rend(), once, &Section::kind);
      Problem(again->line, std::string(NameOf(once)) + " is there twice");
    }
  for (const Section& section : file_.sections) {
    const bool up = section.kind <= SectionKind::kContract;
    if (up && !way_up)
      Problem(section.line, std::string(NameOf(section.kind)) +
                                " stands behind verify or down: the way up comes first");
    way_up = way_up && up;
  }
  const bool down =
      std::ranges::find(file_.sections, SectionKind::kDown, &Section::kind) != file_.sections.end();
  const bool down_verify = std::ranges::find(file_.sections, SectionKind::kDownVerify,
                                             &Section::kind) != file_.sections.end();
  if (down_verify && !down) Problem(1, "there is a down-verify and no down");
  if (down && !file_.Header("irreversible").empty())
    Problem(1, "the header says irreversible, and there is a way down");
  if (file_.Header("transaction") != "single") return;
  for (const auto& [key, value] :
       {std::pair("rebuild_matviews", "yes"), std::pair("prefer", "rebuild")})
    if (file_.Header(key) == value)
      Problem(1, std::string("the header says transaction: single and ") + key + ": " + value +
                     ": statements that run as they stand copy no table");
  if (file_.Header("fire_triggers") == "yes")
    Problem(1,
            "the header says transaction: single and fire_triggers: yes: statements that run as "
            "they stand fill no rows in steps");
  for (const Section& section : file_.sections)
    if (section.kind == SectionKind::kBackfill || section.kind == SectionKind::kGate ||
        section.kind == SectionKind::kContract)
      Problem(section.line, "the header says transaction: single, and there is a " +
                                std::string(NameOf(section.kind)));
}

OwnFile Reading::Read() {
  Begin({SectionKind::kUp, 1, {0, text_.size()}, {}}, 0);
  Lines lines(text_);
  int number = 0;
  while (const auto line = lines.Next()) {
    ++number;
    const auto here = Cut(text_, line->span);
    if (const auto mark = SectionMark(here)) {
      header_ = HeaderIs::kOver;
      TakeMark(*AfterMark(here, kMark), *line, number);
    } else if (const auto version = AfterMark(here, kMark)) {
      header_ = HeaderIs::kStrict;
      if (*version != "1")
        Problem(number, "version " + Quoted(*version) + " of the format is not known: 1 is");
    } else if (header_ != HeaderIs::kOver && AfterMark(here, "")) {
      TakeHeader(here, number);
    } else if (header_ == HeaderIs::kStrict || !Trim(here).empty()) {
      header_ = HeaderIs::kOver;
    }
  }
  CheckBodies();
  CheckOrder();
  // What stands before the first mark is no section where nothing stands there.
  if (file_.sections.size() > 1 && !HasStatements(file_.sections.front()))
    file_.sections.erase(file_.sections.begin());
  std::ranges::stable_sort(file_.problems, {}, &OwnProblem::line);
  return std::move(file_);
}

}  // namespace

std::optional<std::string> Section::Find(std::string_view key) const {
  const auto found = std::ranges::find(arguments, key, &Argument::key);
  if (found == arguments.end()) return std::nullopt;
  return found->value;
}

std::string OwnFile::Header(std::string_view key) const {
  const auto found = std::ranges::find(header, key, &HeaderKey::key);
  return found == header.end() ? "" : found->value;
}

std::string_view NameOf(SectionKind kind) {
  return std::ranges::find(kWords, kind, &Word::kind)->name;
}

std::optional<SectionKind> FindSection(std::string_view name) {
  const auto* found = std::ranges::find(kWords, name, &Word::name);
  if (found == kWords.end()) return std::nullopt;
  return found->kind;
}

std::optional<std::string_view> SectionMark(std::string_view line) {
  // "-- pgalter:up", but "-- pgalter: 1" is the version.
  const auto rest = AfterMark(line, "pgalter");
  if (!rest || rest->size() < 2 || rest->front() != ':') return std::nullopt;
  const auto name = rest->substr(1, rest->find_first_of(" \t") - 1);
  if (name.empty()) return std::nullopt;
  return name;
}

bool IsOwnFile(std::string_view text) {
  if (!HasMark(text, kMark)) return false;
  Lines lines(text);
  while (const auto line = lines.Next()) {
    const auto here = Cut(text, line->span);
    // One that is not known, too: read as anything else it would be obeyed in part.
    const auto version = AfterMark(here, kMark);
    if (version && !version->empty() &&
        version->find_first_not_of("0123456789") == std::string_view::npos)
      return true;
    const auto name = SectionMark(here);
    if (name && FindSection(*name)) return true;
  }
  return false;
}

std::optional<long> ParseSoak(std::string_view text) {
  struct Unit {
    std::string_view name;
    long seconds;
  };
  static constexpr std::array kUnits{Unit{"d", 86400}, Unit{"h", 3600}, Unit{"min", 60},
                                     Unit{"s", 1}};
  long count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto* unit = std::ranges::find(kUnits, rest, &Unit::name);
  constexpr long kMost = 100L * 365 * 86400;
  if (error != std::errc{} || unit == kUnits.end() || count < 0 || count > kMost / unit->seconds)
    return std::nullopt;
  return count * unit->seconds;
}

OwnFile ReadOwnFile(std::string_view text) { return Reading(text).Read(); }

}  // namespace pgalter::formats
