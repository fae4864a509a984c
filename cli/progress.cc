#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/table.h"

namespace pgalter::cli {

namespace {

constexpr std::size_t kBarCells = 20;
constexpr async::Milliseconds kRedrawEvery{250};
constexpr async::Milliseconds kLineEvery{10'000};

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

std::string Pace(const run::Progress& progress) {
  std::string pace = fmt::format("pace {:.0f} %", progress.throttle_ratio * 100);
  if (!progress.throttle_reason.empty()) pace += fmt::format(" ({})", progress.throttle_reason);
  return pace;
}

std::string Rows(const run::Progress& progress) {
  if (progress.total_rows <= 0) return HumanCount(progress.done_rows) + " rows";
  // The estimate may be too small; "5 of about 4" would look like a fault.
  const std::int64_t total = std::max(progress.total_rows, progress.done_rows);
  return fmt::format("{} of about {} rows", HumanCount(progress.done_rows), HumanCount(total));
}

std::string_view PaceColor(const run::Progress& progress) {
  if (progress.throttle_ratio <= 0) return "\x1b[31m";
  return progress.throttle_ratio < 1 ? "\x1b[33m" : "\x1b[32m";
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

std::string ProgressLine(const run::Progress& progress) {
  std::string line =
      fmt::format("{} {}, {}", progress.phase, HumanShare(progress.fraction), Rows(progress));
  const auto rate = static_cast<std::int64_t>(std::llround(progress.rows_per_s));
  line += fmt::format(", {} rows/s", HumanCount(rate));
  if (progress.eta_low_s >= 0)
    line += fmt::format(", ETA {}", HumanRange(progress.eta_low_s, progress.eta_high_s));
  if (progress.hot_share >= 0) line += fmt::format(", HOT {:.0f} %", progress.hot_share * 100);
  line += ", " + Pace(progress);
  if (progress.waiting_rows > 0)
    line += fmt::format(", {} rows locked by others", HumanCount(progress.waiting_rows));
  if (progress.quarantined_rows > 0)
    line += fmt::format(", {} rows in quarantine", HumanCount(progress.quarantined_rows));
  for (const std::string& words : {progress.remark, progress.note})
    if (!words.empty()) line += "; " + words;
  return Printable(line);
}

std::string ProgressBar(const run::Progress& progress, std::size_t width, Color color) {
  const double share = std::clamp(progress.fraction, 0.0, 1.0);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarCells));
  const std::string bar = std::string(full, '#') + std::string(kBarCells - full, '.');
  const std::string plain = Cut(fmt::format("[{}] {}", bar, ProgressLine(progress)), width);
  if (color == Color::kNo || plain.size() < kBarCells + 2) return plain;
  return fmt::format("[{}{}\x1b[0m{}", PaceColor(progress), bar, plain.substr(kBarCells + 1));
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

bool LiveLine::Possible(const Context& context) {
  return context.output == Output::kText && ::isatty(STDERR_FILENO) != 0;
}

std::size_t LiveLine::Width() {
  constexpr std::size_t kUnknown = 80;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return kUnknown;
  return size.ws_col - 1U;  // in the last column some terminals wrap
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
