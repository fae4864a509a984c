#include "migrations/formats/sqitch_plan.h"

#include <algorithm>
#include <map>

#include "migrations/formats/text.h"

namespace pgalter::formats {

namespace {

constexpr std::string_view kBlanks = " \t";

// "%name=value" or "%name": a pragma.
void TakePragma(std::string_view line, SqitchPlan& plan) {
  const std::size_t sign = line.find('=');
  if (sign == std::string_view::npos) return;
  const auto name = Trim(line.substr(1, sign - 1));
  const auto value = Trim(line.substr(sign + 1));
  if (name == "project") plan.project = value;
  if (name == "uri") plan.uri = value;
}

// \n, \r and \\ stand for themselves.
std::string NoteOf(std::string_view text) {
  const auto trimmed = Trim(text);
  std::string note;
  for (std::size_t i = 0; i < trimmed.size(); ++i) {
    const char next = i + 1 < trimmed.size() ? trimmed[i + 1] : '\0';
    if (trimmed[i] != '\\' || (next != 'n' && next != 'r' && next != '\\')) {
      note += trimmed[i];
      continue;
    }
    note += next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
    ++i;
  }
  return note;
}

bool IsId(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

SqitchDependency DependencyOf(std::string_view word, const std::string& own_project) {
  SqitchDependency dependency;
  if (word.starts_with('!')) {
    dependency.conflict = true;
    word.remove_prefix(1);
  }
  if (const std::size_t colon = word.find(':'); colon != std::string_view::npos) {
    if (word.substr(0, colon) != own_project) dependency.project = word.substr(0, colon);
    word.remove_prefix(colon + 1);
  }
  dependency.text = dependency.project.empty() ? "" : dependency.project + ":";
  dependency.text += word;
  if (IsId(word)) {
    dependency.id = word;
    return dependency;
  }
  const std::size_t at = word.find('@');
  dependency.change = word.substr(0, at);
  if (at != std::string_view::npos) dependency.tag = word.substr(at + 1);
  return dependency;
}

// Cuts off and returns what stands before the first blank.
std::string_view TakeWord(std::string_view& rest) {
  const auto word = rest.substr(0, rest.find_first_of(kBlanks));
  rest = Trim(rest.substr(word.size()));
  return word;
}

// "2026-01-02T03:04:05Z name <address>".
void TakePlanned(std::string_view rest, SqitchPlanned& planned) {
  constexpr std::size_t kTime = sizeof("2026-01-02T03:04:05Z") - 1;
  if (rest.size() < kTime || rest[4] != '-' || rest[10] != 'T' || rest[kTime - 1] != 'Z') return;
  planned.at = rest.substr(0, kTime);
  rest = Trim(rest.substr(kTime));
  const std::size_t open = rest.find('<');
  const std::size_t close = rest.find('>', std::min(open, rest.size()));
  if (close == std::string_view::npos) return;
  planned.name = Trim(rest.substr(0, open));
  planned.email = rest.substr(open + 1, close - open - 1);
}

void TakeDependencies(std::string_view& rest, SqitchChange& change, const std::string& project) {
  if (!rest.starts_with('[')) return;
  const std::size_t end = std::min(rest.find(']'), rest.size());
  for (const std::string& word : Words(rest.substr(1, end - 1)))
    change.dependencies.push_back(DependencyOf(word, project));
  // clang-tidy 14 cannot read the form for ranges.
  std::stable_partition(change.dependencies.begin(), change.dependencies.end(),
                        [](const auto& dependency) { return !dependency.conflict; });
  rest = Trim(rest.substr(std::min(end + 1, rest.size())));
}

// An older script of a change that is planned again is called after the next tag behind it.
void NameScripts(SqitchPlan& plan) {
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < plan.changes.size(); ++i) last[plan.changes[i].name] = i;
  std::string tag;
  for (std::size_t i = plan.changes.size(); i-- > 0;) {
    SqitchChange& change = plan.changes[i];
    if (!change.tags.empty()) tag = "@" + change.tags.front().name;
    change.script = change.name + (last[change.name] == i ? "" : tag);
  }
}

}  // namespace

SqitchPlan ReadSqitchPlan(std::string_view text) {
  SqitchPlan plan;
  int number = 0;
  Lines lines(text);
  while (const auto found = lines.Next()) {
    ++number;
    auto line = Cut(text, found->span);
    SqitchPlanned planned;
    if (const std::size_t sharp = line.find('#'); sharp != std::string_view::npos) {
      planned.note = NoteOf(line.substr(sharp + 1));
      line = line.substr(0, sharp);
    }
    line = Trim(line);
    if (line.empty() || line[0] == '-') continue;
    if (line[0] == '%') {
      TakePragma(line, plan);
      continue;
    }
    if (line[0] == '+') line = Trim(line.substr(1));
    const std::string name(TakeWord(line));
    if (name.starts_with('@')) {
      TakePlanned(line, planned);
      if (!plan.changes.empty()) plan.changes.back().tags.push_back({name.substr(1), planned});
      continue;
    }
    SqitchChange change;
    change.name = name;
    change.line = number;
    TakeDependencies(line, change, plan.project);
    TakePlanned(line, planned);
    change.planned = std::move(planned);
    plan.changes.push_back(std::move(change));
  }
  NameScripts(plan);
  return plan;
}

}  // namespace pgalter::formats
