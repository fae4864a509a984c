#include "batcher/backfill/spec.h"

#include <array>
#include <boost/json/array.hpp>

#include "engine/guard/role_settings.h"
#include "engine/state/json_texts.h"

namespace pgalter::backfill {

namespace json = boost::json;
using state::Text;

namespace {

json::object FromMap(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

std::map<std::string, std::string> ToMap(const json::value& value) {
  std::map<std::string, std::string> map;
  for (const auto& entry : value.as_object())
    map.emplace(entry.key(), entry.value().as_string().c_str());
  return map;
}

constexpr std::array kSyncNames{"auto", "keep", "none", "once"};

json::object FromBeginning(const Beginning& beginning) {
  json::array open;
  for (const Xid xid : beginning.open) open.emplace_back(xid);
  return {{"xid", beginning.xid},
          {"open", open},
          {"span", beginning.span},
          {"system", beginning.system},
          {"mark", beginning.mark}};
}

Beginning ToBeginning(const json::object& object) {
  Beginning beginning;
  beginning.xid = object.at("xid").to_number<Xid>();
  for (const auto& xid : object.at("open").as_array())
    beginning.open.push_back(xid.to_number<Xid>());
  beginning.span = object.at("span").to_number<std::uint64_t>();
  beginning.system = Text(object, "system");
  beginning.mark = Text(object, "mark");
  return beginning;
}

}  // namespace

json::object ToJson(const Spec& spec) {
  json::array resolved;
  for (const auto& set : spec.resolved) resolved.push_back(json::array{set.column, set.expression});
  json::object object{{"table", spec.table},
                      {"set", spec.set_text},
                      {"where", spec.where},
                      {"binds", FromMap(spec.binds)},
                      {"workers", spec.workers},
                      {"chunk_time_ms", spec.chunk_time.count()},
                      {"sync", kSyncNames.at(static_cast<std::size_t>(spec.sync))},
                      {"on_error", spec.on_error == OnError::kStop ? "stop" : "quarantine"},
                      {"stripes", spec.stripes},
                      {"xmin_wait_s", spec.xmin_wait.count()},
                      {"throttle", FromMap(spec.throttle)},
                      {"settings", guard::ToJson(spec.settings)},
                      {"resolved", resolved},
                      {"resolved_where", spec.resolved_where},
                      {"alias", spec.alias},
                      {"has_trigger", spec.has_trigger},
                      {"table_bytes", spec.table_bytes}};
  if (spec.beginning) object["beginning"] = FromBeginning(*spec.beginning);
  if (spec.over) object["over"] = true;
  return object;
}

Spec FromJson(const json::object& object) {
  Spec spec;
  spec.table = Text(object, "table");
  spec.set_text = Text(object, "set");
  spec.where = Text(object, "where");
  spec.binds = ToMap(object.at("binds"));
  spec.workers = static_cast<int>(object.at("workers").to_number<std::int64_t>());
  spec.chunk_time = Milliseconds(object.at("chunk_time_ms").to_number<std::int64_t>());
  for (std::size_t i = 0; i < kSyncNames.size(); ++i)
    if (Text(object, "sync") == kSyncNames.at(i)) spec.sync = static_cast<Sync>(i);
  spec.on_error = Text(object, "on_error") == "stop" ? OnError::kStop : OnError::kQuarantine;
  spec.stripes = static_cast<int>(object.at("stripes").to_number<std::int64_t>());
  spec.xmin_wait = std::chrono::seconds(object.at("xmin_wait_s").to_number<std::int64_t>());
  spec.throttle = ToMap(object.at("throttle"));
  spec.settings = guard::SettingsFromJson(object.at("settings").as_array());
  for (const auto& pair : object.at("resolved").as_array())
    spec.resolved.push_back(
        {pair.as_array().at(0).as_string().c_str(), pair.as_array().at(1).as_string().c_str()});
  spec.resolved_where = Text(object, "resolved_where");
  spec.alias = Text(object, "alias");
  spec.has_trigger = object.at("has_trigger").as_bool();
  spec.table_bytes = object.at("table_bytes").to_number<std::int64_t>();
  if (const auto* beginning = object.if_contains("beginning"))
    spec.beginning = ToBeginning(beginning->as_object());
  spec.over = object.contains("over");
  return spec;
}

std::string BindSetting(const std::string& placeholder) { return "pgalter_bind." + placeholder; }

}  // namespace pgalter::backfill
