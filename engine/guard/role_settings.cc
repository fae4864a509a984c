#include "engine/guard/role_settings.h"

namespace pgalter::guard {

namespace json = boost::json;

Task<Settings> RoleSettings(Session& session) {
  // reset_val is what the role would have had: our own session has set search_path.
  const pg::Result rows = co_await session.db().Query(
      "SELECT name, reset_val FROM pg_settings WHERE name IN ('search_path', 'TimeZone',"
      " 'DateStyle', 'IntervalStyle', 'extra_float_digits', 'bytea_output', 'lc_monetary',"
      " 'lc_numeric', 'lc_time', 'xmlbinary', 'xmloption', 'default_text_search_config')"
      " ORDER BY name");
  Settings settings;
  for (int i = 0; i < rows.rows(); ++i)
    settings.emplace_back(rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1));
  co_return settings;
}

json::array ToJson(const Settings& settings) {
  json::array array;
  for (const auto& [name, value] : settings) array.push_back(json::array{name, value});
  return array;
}

Settings SettingsFromJson(const json::array& array) {
  Settings settings;
  for (const auto& pair : array)
    settings.emplace_back(pair.as_array().at(0).as_string().c_str(),
                          pair.as_array().at(1).as_string().c_str());
  return settings;
}

}  // namespace pgalter::guard
