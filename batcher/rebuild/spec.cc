#include "batcher/rebuild/spec.h"

#include <boost/json/array.hpp>

#include "engine/state/json_texts.h"

namespace pgalter::rebuild {

namespace json = boost::json;

namespace {

using state::ArrayOf;

Companion CompanionOf(const json::object& json) {
  Companion companion;
  companion.table = json.at("table").as_string().c_str();
  companion.alter = json.at("alter").as_string().c_str();
  for (const json::value& map : json.at("maps").as_array())
    companion.maps.emplace_back(map.as_string().c_str());
  companion.relid = json.at("relid").to_number<std::uint32_t>();
  // A run of an older program does not say.
  if (const auto* definition = json.if_contains("definition"))
    companion.definition = definition->as_string();
  if (const auto* order_by = json.if_contains("order_by"))
    companion.order_by = order_by->as_string();
  return companion;
}

}  // namespace

Spec OfTable(const Spec& spec, int number) {
  Spec one = spec;
  one.companions.clear();
  if (number == 1) return one;
  const Companion& companion = spec.companions.at(static_cast<std::size_t>(number) - 2);
  one.table = companion.table;
  one.alter = companion.alter;
  one.maps = companion.maps;
  one.definition = companion.definition;
  one.order_by = companion.order_by;
  one.going = {};
  return one;
}

json::object ToJson(const Spec& spec) {
  json::object throttle;
  for (const auto& [key, value] : spec.throttle) throttle[key] = value;
  json::object settings;
  for (const auto& [name, value] : spec.settings) settings[name] = value;
  json::array companions;
  for (const Companion& companion : spec.companions)
    companions.push_back({{"table", companion.table},
                          {"alter", companion.alter},
                          {"maps", ArrayOf(companion.maps)},
                          {"relid", companion.relid},
                          {"definition", companion.definition},
                          {"order_by", companion.order_by}});
  json::object all{{"table", spec.table},
                   {"alter", spec.alter},
                   {"definition", spec.definition},
                   {"order_by", spec.order_by},
                   {"allow_weaker_keys", spec.allow_weaker_keys},
                   {"rebuild_matviews", spec.rebuild_matviews},
                   {"waits_at_cutover", spec.waits_at_cutover},
                   {"maps", ArrayOf(spec.maps)},
                   {"workers", spec.workers},
                   {"unattended_s", static_cast<std::int64_t>(spec.unattended.count())},
                   {"revert_window_s", static_cast<std::int64_t>(spec.revert_window.count())},
                   {"log_limit", spec.log_limit},
                   {"throttle", throttle},
                   {"settings", settings},
                   {"companions", companions},
                   {"chunk_time_ms", static_cast<std::int64_t>(spec.chunk_time.count())}};
  if (!spec.going.keys.empty()) all["going_keys"] = ToJson(spec.going);
  if (!spec.going.checks.empty()) all["inbound_checks"] = spec.going.checks;
  return all;
}

Spec FromJson(const json::object& json) {
  Spec spec;
  spec.table = json.at("table").as_string().c_str();
  spec.alter = json.at("alter").as_string().c_str();
  spec.definition = json.at("definition").as_string().c_str();
  // Runs that were made before it was known have none.
  if (const auto* order_by = json.if_contains("order_by"))
    spec.order_by = order_by->as_string().c_str();
  spec.allow_weaker_keys = json.at("allow_weaker_keys").as_bool();
  if (const auto* matviews = json.if_contains("rebuild_matviews"))
    spec.rebuild_matviews = matviews->as_bool();
  spec.waits_at_cutover = json.at("waits_at_cutover").as_bool();
  for (const json::value& map : json.at("maps").as_array())
    spec.maps.emplace_back(map.as_string().c_str());
  spec.workers = json.at("workers").to_number<int>();
  if (const auto* unattended = json.if_contains("unattended_s")) {
    spec.unattended = std::chrono::seconds(unattended->to_number<std::int64_t>());
    spec.revert_window = std::chrono::seconds(json.at("revert_window_s").to_number<std::int64_t>());
    spec.log_limit = json.at("log_limit").to_number<std::int64_t>();
  }
  spec.chunk_time = std::chrono::milliseconds(json.at("chunk_time_ms").to_number<std::int64_t>());
  for (const auto& entry : json.at("throttle").as_object())
    spec.throttle[std::string(entry.key())] = entry.value().as_string().c_str();
  for (const auto& entry : json.at("settings").as_object())
    spec.settings.emplace_back(std::string(entry.key()), entry.value().as_string().c_str());
  if (const auto* going = json.if_contains("going_keys"))
    spec.going = GoingKeysFromJson(going->as_object());
  if (const auto* checks = json.if_contains("inbound_checks"))
    spec.going.checks = checks->as_array();
  // A run of an older program does not say.
  if (const auto* companions = json.if_contains("companions"))
    for (const json::value& value : companions->as_array())
      spec.companions.push_back(CompanionOf(value.as_object()));
  return spec;
}

}  // namespace pgalter::rebuild
