// How long a rebuild's changes are logged without a runner, as options: --unattended,
// --revert-window and --log-limit.
#pragma once

#include <boost/program_options/options_description.hpp>

#include "batcher/rebuild/spec.h"
#include "cli/context.h"

namespace pgalter::cli {

void AddCaptureOptions(boost::program_options::options_description& options);
// Throws Rejected (usage).
void ReadCaptureOptions(const Context& context, rebuild::Spec& spec);

}  // namespace pgalter::cli
