#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/columns.h"
#include "cli/human.h"
#include "cli/human_rows.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/table.h"

namespace pgalter::cli {

namespace {

constexpr std::size_t kBarCells = 20;
constexpr std::size_t kWide = 120;
constexpr async::Milliseconds kRedrawEvery{250};
constexpr async::Milliseconds kLineEvery{10'000};

std::string Pace(const run::Progress& progress) {
  std::string pace = fmt::format("pace {:.0f} %", progress.throttle_ratio * 100);
  if (!progress.throttle_reason.empty()) pace += fmt::format(" ({})", progress.throttle_reason);
  return pace;
}

// The estimate may be too small; "5 of about 4" would look like a fault.
std::int64_t Total(const run::Progress& progress) {
  return std::max(progress.total_rows, progress.done_rows);
}

std::string Rows(const run::Progress& progress) {
  // What was estimated does not matter any more.
  const bool is_done = progress.phase == "done";
  if (is_done || progress.total_rows <= 0) return HumanRows(progress.done_rows);
  return fmt::format("{} of about {}", HumanCount(progress.done_rows), HumanRows(Total(progress)));
}

std::string Rate(const run::Progress& progress) {
  return HumanCount(std::llround(progress.rows_per_s));
}

std::string Trouble(const run::Progress& progress) {
  std::string text;
  if (progress.waiting_rows > 0)
    text += fmt::format(", {} locked by others", HumanRows(progress.waiting_rows));
  if (progress.quarantined_rows > 0)
    text += fmt::format(", {} in quarantine", HumanRows(progress.quarantined_rows));
  for (const std::string& words : {progress.remark, progress.note})
    if (!words.empty()) text += "; " + words;
  return text;
}

std::string_view PaceColor(const run::Progress& progress) {
  if (progress.throttle_ratio <= 0) return "\x1b[31m";
  return progress.throttle_ratio < 1 ? "\x1b[33m" : "\x1b[32m";
}

// Of a plan most steps are without rows, and without a pace.
bool MovesRows(const run::Progress& progress) {
  return progress.steps == 0 || progress.total_rows > 0;
}

std::string Colored(const std::string& plain, std::size_t cells, const run::Progress& progress,
                    Color color) {
  if (color == Color::kNo || plain.size() < cells + 2) return plain;
  return fmt::format("[{}{}\x1b[0m{}", PaceColor(progress), plain.substr(1, cells),
                     plain.substr(cells + 1));
}

void PrintLine(const Context& context, const std::string& run, const run::Progress& progress) {
  const std::string line = ProgressLine(progress);
  Log(line);
  if (context.output == Output::kJson) {
    const std::string_view state = progress.note.empty() ? "running" : "waiting";
    PrintJson(ProgressJson(run, state, progress, UtcNow()));
  } else {
    fmt::print(stderr, "{} {}\n", UtcNow(), line);
  }
}

}  // namespace

std::string Cut(const std::string& text, std::size_t width) {
  if (DisplayWidth(text) <= width) return text;
  std::string cut;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (begins && DisplayWidth(cut) == width) break;
    cut += c;
  }
  return cut;
}

std::string ProgressLine(const run::Progress& progress, Motion motion) {
  std::string line = fmt::format("{} {}", progress.phase, HumanShare(progress.fraction));
  const bool moving = motion == Motion::kMoving;
  if (progress.steps > 0) line += fmt::format(", step {} of {}", progress.step, progress.steps);
  if (!MovesRows(progress)) return Printable(line + Trouble(progress));
  line += ", " + Rows(progress);
  if (moving) line += fmt::format(", {} rows/s", Rate(progress));
  if (progress.eta_low_s >= 0)
    line += fmt::format(", ETA {}", HumanRange(progress.eta_low_s, progress.eta_high_s));
  if (progress.hot_share >= 0) line += fmt::format(", HOT {:.0f} %", progress.hot_share * 100);
  if (moving) line += ", " + Pace(progress);
  return Printable(line + Trouble(progress));
}

std::string ProgressBar(const run::Progress& progress, std::size_t width, Color color) {
  const std::size_t cells = width < kWide ? kBarCells / 2 : kBarCells;
  const double share = std::clamp(progress.fraction, 0.0, 1.0);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  const std::string bar = std::string(full, '#') + std::string(cells - full, '.');
  std::string text;
  if (!MovesRows(progress)) {
    text = fmt::format("[{}] {} {}", bar, progress.phase, HumanShare(progress.fraction));
    return Colored(Cut(Printable(text + Trouble(progress)), width), cells, progress, color);
  }
  text =
      fmt::format("[{}] {} {} {}/{} rows {}/s", bar, progress.phase, HumanShare(progress.fraction),
                  HumanCount(progress.done_rows), HumanCount(Total(progress)), Rate(progress));
  if (progress.eta_low_s >= 0)
    text += fmt::format(" ETA {}", HumanRange(progress.eta_low_s, progress.eta_high_s));
  text += " " + Pace(progress);
  if (progress.hot_share >= 0) text += fmt::format(" HOT {:.0f} %", progress.hot_share * 100);
  return Colored(Cut(Printable(text + Trouble(progress)), width), cells, progress, color);
}

LiveLine::~LiveLine() { Clear(); }

void LiveLine::Draw(const std::string& text) {
  fmt::print(stderr, "\r{}\x1b[K", text);
  std::fflush(stderr);
  drawn_ = true;
}

void LiveLine::Clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  drawn_ = false;
}

bool KnowsEscapes() {
  const char* kind = std::getenv("TERM");
  return kind == nullptr || std::string_view(kind) != "dumb";
}

bool LiveLine::Possible(const Context& context) {
  return context.output == Output::kText && ::isatty(STDERR_FILENO) != 0 && KnowsEscapes();
}

std::size_t LiveLine::Width() {
  const std::size_t columns = TerminalColumns(STDERR_FILENO).value_or(0);
  if (columns < 2) return kUnknownColumns;
  return columns - 1;  // in the last column some terminals wrap
}

void SayAmid(const Context& context, const std::string& text) {
  if (LiveLine::Possible(context)) fmt::print(stderr, "\r\x1b[K");
  Say(context, text);
}

Task<> ShowProgress(const Context& context, std::string run, const run::Progress& progress) {
  LiveLine line;
  const bool live = LiveLine::Possible(context);
  auto next_line = async::Clock::now() + kLineEvery;
  for (;;) {
    if (live) line.Draw(ProgressBar(progress, LiveLine::Width(), context.color));
    if (async::Clock::now() >= next_line) {
      next_line += kLineEvery;
      if (live) {
        Log(ProgressLine(progress));
      } else {
        PrintLine(context, run, progress);
      }
    }
    co_await async::SleepFor(kRedrawEvery);
  }
}

}  // namespace pgalter::cli
