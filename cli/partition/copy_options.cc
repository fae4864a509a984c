#include "cli/partition/copy_options.h"

#include <fmt/format.h>

#include "cli/capture_options.h"
#include "cli/pace.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

constexpr int kMostWorkers = 64;

}  // namespace

void ReadCopyOptions(const Context& context, rebuild::Spec& spec) {
  const run::Pace pace = PaceOf(context);
  spec.workers = pace.workers.value_or(spec.workers);
  if (spec.workers < 1 || spec.workers > kMostWorkers)
    throw Rejected(ExitCode::kUsage, fmt::format("--workers {} is out of range", spec.workers),
                   fmt::format("1 to {}", kMostWorkers));
  spec.chunk_time = pace.chunk_time.value_or(spec.chunk_time);
  spec.throttle = pace.throttle;
  AddCanary(context, spec.throttle);
  ReadCaptureOptions(context, spec);
}

}  // namespace pgalter::cli
