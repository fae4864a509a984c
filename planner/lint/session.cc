#include "planner/lint/session.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

namespace pgalter::lint {

namespace {

struct Unit {
  std::string_view name;
  double milliseconds;
};
// As in the server's guc.c; a number alone is in milliseconds.
constexpr std::array<Unit, 7> kUnits = {{{"", 1},
                                         {"us", 0.001},
                                         {"ms", 1},
                                         {"s", 1000},
                                         {"min", 60'000},
                                         {"h", 3'600'000},
                                         {"d", 86'400'000}}};

std::string_view Trim(std::string_view text, std::string_view what) {
  const auto first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

// 0 switches a timeout off.
std::optional<Milliseconds> InForce(std::optional<Milliseconds> value) {
  if (value && value->count() == 0) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Milliseconds> ParseTimeout(std::string_view value) {
  value = Trim(value, " '\t");
  const auto digits = value.find_first_not_of("0123456789.");
  const std::string number(value.substr(0, digits));
  const std::string_view unit =
      digits == std::string_view::npos ? std::string_view() : Trim(value.substr(digits), " ");
  if (number.empty()) return std::nullopt;
  double amount = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), amount);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  for (const Unit& known : kUnits) {
    if (known.name != unit) continue;
    const double milliseconds = amount * known.milliseconds;
    if (milliseconds > 2'147'483'647) return std::nullopt;  // the server refuses it
    return Milliseconds(static_cast<std::int64_t>(std::ceil(milliseconds)));
  }
  return std::nullopt;
}

std::optional<Milliseconds> SessionSettings::lock_timeout() const {
  return InForce(lock_.local ? lock_.local : lock_.session);
}

std::optional<Milliseconds> SessionSettings::statement_timeout() const {
  return InForce(statement_.local ? statement_.local : statement_.session);
}

void SessionSettings::Change(Setting& setting, const sql::ast::Set& set,
                             TransactionKind transaction, std::optional<Milliseconds> assumed) {
  if (set.reset) {
    setting = {assumed, std::nullopt};
    return;
  }
  const auto value = ParseTimeout(set.value);
  if (!set.local) {
    setting = {value, std::nullopt};
  } else if (transaction != TransactionKind::kNone) {
    setting.local = value;  // outside of a transaction the server warns, and sets nothing
  }
}

void SessionSettings::Step(const sql::ast::Statement& statement, TransactionKind transaction) {
  const auto* set = statement.As<sql::ast::Set>();
  if (set == nullptr) return;
  const bool all = set->reset && set->name == "all";
  if (all || set->name == "lock_timeout") Change(lock_, *set, transaction, assumed_lock_);
  if (all || set->name == "statement_timeout")
    Change(statement_, *set, transaction, assumed_statement_);
  if (set->name == "timezone") time_zone_ = set->reset ? std::string() : set->value;
}

void SessionSettings::EndTransaction() {
  lock_.local.reset();
  statement_.local.reset();
}

}  // namespace pgalter::lint
