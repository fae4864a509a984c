#pragma once

// Settings in a migration's statements: SET, RESET and set_config(). Steps have sessions of their
// own, so what is set for a session would be lost there. Pure; private to migrations/history.

#include <string>
#include <vector>

namespace pgalter::history {

struct WithoutSettings {
  std::string text;     // blanks stand for what may be left out
  std::string refusal;  // the first that matters and would be lost; empty: there is none
  std::vector<std::string> remarks;
};
[[nodiscard]] WithoutSettings LeaveOutSettings(std::string text);

// The statements as one transaction sends them: settings hold to its end, and the timeouts are
// ours.
[[nodiscard]] std::vector<std::string> AsOneTransaction(const std::string& text);

// How a session is left when a script's own settings are to end with it.
[[nodiscard]] std::vector<std::string> ResetsFor(const std::string& text);

}  // namespace pgalter::history
