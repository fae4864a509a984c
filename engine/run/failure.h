// Failure: an expected end that is not success, with its exit code. The text says what was tried,
// on what, why it failed and what to do next.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace pgalter::run {

enum class ExitCode {
  kDone = 0,
  kError = 1,
  kUsage = 2,
  kPending = 3,  // findings, pending, changes
  kRefused = 4,
  kLockNotObtained = 5,
  kPausedOrAborted = 6,
  kMismatch = 7,
  kHistoryDivergence = 8,
  kConnection = 9,
  kUnsupported = 10,  // the server, or a missing right
};

class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& text) : std::runtime_error(text), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// What `error` means for the user: its exit code, and its text. Never throws.
struct Verdict {
  ExitCode code = ExitCode::kError;
  std::string text;
  std::string sqlstate;  // empty where the server did not speak
  std::string object;
  std::string hint;
};
Verdict Judge(const std::exception_ptr& error);

// The session is gone, or none is to be had now, not the work: attach again and go on from the
// state.
bool IsConnectionLoss(const std::exception_ptr& error);

}  // namespace pgalter::run
