#include "cli/screen/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/range/adaptor/reversed.hpp>
#include <sstream>

#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/lock_tree.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "engine/watch/unit.h"

namespace pgalter::cli::screen {

namespace {

namespace json = boost::json;

enum class Style { kPlain, kHeading, kGood, kWarning, kBad, kSoft };

struct Line {
  std::string text;
  Style style = Style::kPlain;
};
using Lines = std::vector<Line>;

const char* CodeOf(Style style) {
  switch (style) {
    case Style::kHeading:
      return "\x1b[1m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[31m";
    case Style::kSoft:
      return "\x1b[2m";
    case Style::kPlain:
      break;
  }
  return "";
}

std::string Shown(const Line& line, std::size_t columns, Color color) {
  std::string text = Cut(Printable(line.text), columns);
  if (color == Color::kNo || line.style == Style::kPlain) return text;
  return CodeOf(line.style) + text + "\x1b[0m";
}

const json::array& ListOf(const state::Run& run, std::string_view key) {
  static const json::array kNone;
  const json::value* value = run.progress.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

double Number(const json::value& from, std::string_view key) {
  const json::value* value = from.as_object().if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::string Text(const json::value& from, std::string_view key) {
  const json::value* value = from.as_object().if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

bool Moves(const state::Run& run) {
  return run.state == state::RunState::kRunning || run.state == state::RunState::kWaiting;
}

Style StyleOf(state::RunState state) {
  switch (state) {
    case state::RunState::kRunning:
    case state::RunState::kDone:
      return Style::kGood;
    case state::RunState::kFailed:
    case state::RunState::kAborted:
      return Style::kBad;
    default:
      return Style::kWarning;
  }
}

void AddState(const Picture& picture, Lines& lines) {
  const state::Run& run = picture.run;
  lines.push_back({fmt::format("{} {}  {}", run.command, run.target, run.id), Style::kHeading});
  std::string state = fmt::format("{}, {}", state::Name(run.state), run.phase);
  Style style = StyleOf(run.state);
  if (Moves(run) && !picture.runner && !state::RestsAtGate(run)) {
    state += "; nobody works on it";
    style = Style::kBad;
  } else if (picture.runner) {
    state += fmt::format("; process {} on {}", picture.runner->process, picture.runner->host);
  }
  lines.push_back({state, style});
  if (!picture.problem.empty())
    lines.push_back({fmt::format("as of {}: {}", picture.as_of, picture.problem), Style::kBad});
  if (!run.failure.empty()) lines.push_back({run.failure, Style::kBad});
}

void AddProgress(const Picture& picture, std::size_t columns, Lines& lines) {
  const run::Progress progress = ProgressOf(picture.run);
  const std::size_t cells = std::clamp<std::size_t>(columns / 2, 4, 60);
  const double share = std::clamp(progress.fraction, 0.0, 1.0);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  lines.push_back({""});
  lines.push_back({fmt::format("[{}{}] {}", std::string(full, '#'), std::string(cells - full, '.'),
                               HumanShare(progress.fraction))});
  if (progress.steps > 0)
    lines.push_back({fmt::format("step {} of {}", progress.step, progress.steps)});
  if (progress.total_rows > 0 && progress.phase != "done")
    lines.push_back(
        {fmt::format("rows   {} of about {}, {} a second", HumanCount(progress.done_rows),
                     HumanCount(std::max(progress.total_rows, progress.done_rows)),
                     HumanCount(static_cast<std::int64_t>(progress.rows_per_s)))});
  if (progress.eta_low_s >= 0)
    lines.push_back(
        {fmt::format("ETA    {}", HumanRange(progress.eta_low_s, progress.eta_high_s))});
  const double chunk_ms = Number(picture.run.progress, "chunk_ms");
  if (chunk_ms > 0)
    lines.push_back({fmt::format("chunk  {:.0f} rows in {:.0f} ms",
                                 Number(picture.run.progress, "chunk_rows"), chunk_ms)});
  for (const std::string& words : {progress.note, progress.remark})
    if (!words.empty()) lines.push_back({words, Style::kWarning});
}

void AddPace(const Picture& picture, Lines& lines) {
  if (!Moves(picture.run)) return;
  const run::Progress progress = ProgressOf(picture.run);
  std::string pace = fmt::format("pace   {:.0f} % of the time", progress.throttle_ratio * 100);
  if (!progress.throttle_reason.empty()) pace += ": " + progress.throttle_reason;
  lines.push_back({pace, progress.throttle_ratio <= 0  ? Style::kBad
                         : progress.throttle_ratio < 1 ? Style::kWarning
                                                       : Style::kGood});
  for (const json::value& signal : ListOf(picture.run, "signals")) {
    const double share = Number(signal, "utilisation");
    lines.push_back({fmt::format("       {:3.0f} %  {}", share * 100, Text(signal, "text")),
                     share >= 1 ? Style::kBad : Style::kWarning});
  }
}

void AddStandbys(const Picture& picture, Lines& lines) {
  const json::array& standbys = ListOf(picture.run, "standbys");
  if (standbys.empty() || !Moves(picture.run)) return;
  lines.push_back({""});
  lines.push_back({"Standbys", Style::kHeading});
  for (const json::value& standby : standbys) {
    const double lag = Number(standby, "lag_s");
    const double limit = Number(standby, "limit_s");
    lines.push_back({fmt::format("  {}  {} behind, {}, of {}", Text(standby, "name"),
                                 watch::Format(lag, watch::Unit::kSeconds),
                                 watch::Format(Number(standby, "lag_bytes"), watch::Unit::kBytes),
                                 watch::Format(limit, watch::Unit::kSeconds)),
                     limit > 0 && lag >= limit ? Style::kBad : Style::kPlain});
  }
}

void AddLocks(const Picture& picture, Lines& lines) {
  lines.push_back({""});
  lines.push_back({"Locks", Style::kHeading});
  if (picture.locks.empty()) lines.push_back({"  nobody waits for a lock", Style::kSoft});
  std::istringstream tree(LockTreeText(picture.locks, {{picture.run.id, picture.run.phase}}));
  for (std::string line; std::getline(tree, line);) lines.push_back({"  " + line, Style::kWarning});
}

std::string_view MarkOf(state::StepState state) {
  switch (state) {
    case state::StepState::kDone:
      return "done";
    case state::StepState::kRunning:
      return "at work";
    case state::StepState::kUndone:
      return "taken back";
    case state::StepState::kPending:
      break;
  }
  return "to come";
}

// Those around the one at work.
void AddSteps(const Picture& picture, Lines& lines) {
  constexpr std::ptrdiff_t kBefore = 3;
  constexpr std::ptrdiff_t kMost = 8;
  const auto& steps = picture.steps;
  if (steps.empty()) return;
  lines.push_back({""});
  lines.push_back({"Steps", Style::kHeading});
  const auto now = std::ranges::find_if(
      steps, [](const state::Step& step) { return step.state != state::StepState::kDone; });
  const std::ptrdiff_t count = std::ssize(steps);
  const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(
      now - steps.begin() - kBefore, 0, std::max<std::ptrdiff_t>(0, count - kMost));
  const std::ptrdiff_t last = std::min(first + kMost, count);
  if (first > 0) lines.push_back({fmt::format("  … {} before", first), Style::kSoft});
  for (std::ptrdiff_t i = first; i < last; ++i) {
    const state::Step& step = steps[static_cast<std::size_t>(i)];
    lines.push_back({fmt::format("  {:<10}  {:<8}  {}", MarkOf(step.state), step.phase, step.id),
                     step.state == state::StepState::kRunning ? Style::kGood : Style::kPlain});
  }
  if (last < count) lines.push_back({fmt::format("  … {} more", count - last), Style::kSoft});
}

void AddEvents(const Picture& picture, Lines& lines) {
  if (picture.events.empty()) return;
  lines.push_back({""});
  lines.push_back({"Events", Style::kHeading});
  for (const auto& event : boost::adaptors::reverse(picture.events))
    lines.push_back({fmt::format("  {}  {} {} {}{}", event.at, event.event, event.kind, event.name,
                                 event.said.empty() ? "" : fmt::format(": {}", event.said))});
}

Lines Footer(const Picture& picture) {
  Lines footer;
  if (!picture.question.empty()) {
    footer.push_back({picture.question, Style::kWarning});
  } else if (!picture.said.empty()) {
    footer.push_back({picture.said});
  }
  footer.push_back({"p pause  r resume  + faster  - slower  q leave", Style::kSoft});
  return footer;
}

// A question that does not fit is asked in several lines: what it does must be read.
Lines Folded(const Lines& lines, std::size_t columns) {
  Lines folded;
  for (const Line& line : lines) {
    Line part{"", line.style};
    std::istringstream words(line.text);
    for (std::string word; words >> word;) {
      if (!part.text.empty() && DisplayWidth(part.text) + 1 + DisplayWidth(word) > columns) {
        folded.push_back(part);
        part.text.clear();
      }
      part.text += (part.text.empty() ? "" : " ") + word;
    }
    folded.push_back(part);
  }
  return folded;
}

}  // namespace

std::vector<std::string> Render(const Picture& picture, const Size& size, Color color) {
  Lines lines;
  if (picture.as_of.empty()) {
    lines.push_back({picture.problem.empty() ? "looking" : picture.problem});
  } else {
    AddState(picture, lines);
    AddProgress(picture, size.columns, lines);
    AddPace(picture, lines);
    AddStandbys(picture, lines);
    AddLocks(picture, lines);
    AddSteps(picture, lines);
    AddEvents(picture, lines);
  }
  Lines footer = Folded(Footer(picture), size.columns);
  if (footer.size() > size.rows)
    footer.erase(footer.begin(), footer.end() - static_cast<std::ptrdiff_t>(size.rows));
  const std::size_t room = size.rows - footer.size();
  if (lines.size() > room) {
    const std::size_t hidden = lines.size() - room + 1;
    lines.resize(room);
    if (room > 0) lines.back() = {fmt::format("… {} more lines", hidden), Style::kSoft};
  }
  lines.resize(room);
  lines.insert(lines.end(), footer.begin(), footer.end());
  std::vector<std::string> shown;
  for (const Line& line : lines) shown.push_back(Shown(line, size.columns, color));
  return shown;
}

}  // namespace pgalter::cli::screen
