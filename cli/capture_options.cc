#include "cli/capture_options.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "cli/rejected.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

constexpr double kLeastSeconds = 60;
constexpr double kMostSeconds = 366 * 86'400.0;
constexpr double kLeastBytes = 1 << 20;

double Read(const Context& context, const char* option, watch::Unit unit, double least, double most,
            const char* range) {
  const auto& text = context.Get(option);
  const auto value = watch::Parse(text, unit);
  if (!value || *value < least || *value > most)
    throw Rejected(ExitCode::kUsage, fmt::format("--{} \"{}\" is out of range", option, text),
                   range);
  return *value;
}

std::chrono::seconds Seconds(const Context& context, const char* option) {
  const double seconds = Read(context, option, watch::Unit::kSeconds, kLeastSeconds, kMostSeconds,
                              "1min to 366d, as 24h");
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

}  // namespace

void AddCaptureOptions(po::options_description& options) {
  options.add_options()  //
      ("unattended", po::value<std::string>()->default_value("72h"),
       "how long changes are still logged for the copy when no runner is there")  //
      ("revert-window", po::value<std::string>()->default_value("24h"),
       "how long they are logged for a way back, after the cut-over")  //
      ("log-limit", po::value<std::string>(),
       "size of that log at which both are given up; default: the table's, at least 1GB");
}

void ReadCaptureOptions(const Context& context, rebuild::Spec& spec) {
  constexpr double kMostBytes = 1e18;
  spec.unattended = Seconds(context, "unattended");
  spec.revert_window = Seconds(context, "revert-window");
  if (context.Has("log-limit"))
    spec.log_limit = static_cast<std::int64_t>(
        Read(context, "log-limit", watch::Unit::kBytes, kLeastBytes, kMostBytes, "1MB and more"));
}

}  // namespace pgalter::cli
