// Report: errors and remarks, on stderr and in the log.
#pragma once

#include <exception>
#include <string>

#include "cli/context.h"

namespace pgalter::cli {

// run::Judge, and what only the command line knows: its own errors and failed connections.
run::Verdict Judge(const std::exception_ptr& error);

// "pgalter: what" with a line of hint, or the JSON error. Returns the exit code.
run::ExitCode Report(const run::Verdict& verdict, Output output);

// A sentence for people; in JSON mode only in the log.
void Say(const Context& context, const std::string& text);

// Results, on stdout.
void Print(const std::string& text);

// The file of --log-file; nothing is logged without one. Throws Rejected (usage).
void OpenLog(const Context& context);

// Where progress goes when nobody watches.
void Log(const std::string& text);

}  // namespace pgalter::cli
