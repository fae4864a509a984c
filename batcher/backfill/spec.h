// Spec: what a backfill was asked for, as it is kept with the run. No secret is in it: a bound
// value is known by the name of its environment variable only.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batcher/backfill/once_policy.h"
#include "planner/sql/set_clause.h"

namespace pgalter::backfill {

using Milliseconds = std::chrono::milliseconds;

// The trigger that keeps new rows right; kOnce: that changes each row exactly once, as an UPDATE
// does (once.h).
enum class Sync { kAuto, kKeep, kNone, kOnce };
enum class OnError { kStop, kQuarantine };  // a row whose value cannot be made

struct Spec {
  std::string table;                         // as the user wrote it
  std::string set_text;                      // with placeholders
  std::string where;                         // with placeholders; empty: every row that differs
  std::map<std::string, std::string> binds;  // placeholder -> environment variable
  int workers = 1;
  Milliseconds chunk_time{100};
  Sync sync = Sync::kAuto;
  OnError on_error = OnError::kStop;
  int stripes = 0;                     // 0: chosen by the table's shape
  std::chrono::seconds xmin_wait{30};  // how long pruning is waited for, before going on plainly
  std::map<std::string, std::string> throttle;  // as for `throttle --set`

  // Settled when the run was made, the same for every later runner:
  // the role's settings that decide what an expression means (search_path, TimeZone, …),
  std::vector<std::pair<std::string, std::string>> settings;
  // and the expressions as the server resolved them under these settings.
  std::vector<sql::Assignment> resolved;
  std::string resolved_where;
  std::string alias;  // the table's name then: what the expressions may call it
  bool has_trigger = false;
  std::optional<Beginning> beginning;  // of kOnce, once its trigger is made
  bool over = false;                   // no row is left, and the trigger may go
  std::int64_t table_bytes = -1;       // with partitions and indexes; -1: not known
};

boost::json::object ToJson(const Spec& spec);
Spec FromJson(const boost::json::object& json);

// The custom setting that carries a bound value into a session; the expression reads it with
// current_setting(), so the value is never part of a statement or of our state.
std::string BindSetting(const std::string& placeholder);

}  // namespace pgalter::backfill
