#pragma once

// The settings of the session that matter to a rule, as the file itself sets them.

#include <chrono>
#include <optional>
#include <string>

#include "planner/lint/transaction.h"

namespace pgalter::lint {

using Milliseconds = std::chrono::milliseconds;

// "5s", "500ms", "1min", "3000", "'2 s'"; nullopt: no duration.
[[nodiscard]] std::optional<Milliseconds> ParseTimeout(std::string_view value);

class SessionSettings {
 public:
  SessionSettings(std::optional<Milliseconds> lock, std::optional<Milliseconds> statement)
      : assumed_lock_(lock), assumed_statement_(statement) {}

  // Set and not zero; nullopt: a statement may wait for ever.
  [[nodiscard]] std::optional<Milliseconds> lock_timeout() const;
  [[nodiscard]] std::optional<Milliseconds> statement_timeout() const;
  [[nodiscard]] const std::string& time_zone() const { return time_zone_; }  // empty: not known

  void Step(const sql::ast::Statement& statement, TransactionKind transaction);
  void EndTransaction();  // SET LOCAL ends with it

 private:
  struct Setting {
    std::optional<Milliseconds> session;
    std::optional<Milliseconds> local;
  };
  static void Change(Setting& setting, const sql::ast::Set& set, TransactionKind transaction,
                     std::optional<Milliseconds> assumed);

  std::optional<Milliseconds> assumed_lock_;
  std::optional<Milliseconds> assumed_statement_;
  Setting lock_{assumed_lock_, std::nullopt};
  Setting statement_{assumed_statement_, std::nullopt};
  std::string time_zone_;
};

}  // namespace pgalter::lint
