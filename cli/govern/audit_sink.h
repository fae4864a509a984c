// `pgalter audit sink`: the application's own ledger, into which each entry of the log goes too.
#pragma once

#include "cli/context.h"

namespace pgalter::cli {

// set --env NAME | show | drop: the second operand of `audit`.
Task<ExitCode> AuditSink(const Context& context);

}  // namespace pgalter::cli
