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

Bracket Under(const Settings& settings) {
  std::vector<std::string> names;
  std::vector<std::string> values;
  for (const auto& [name, value] : settings) {
    names.push_back(name);
    values.push_back(value);
  }
  // Every name says its schema: the users' search_path is in force where it ends.
  const std::string was = "'pgalter.was_' OPERATOR(pg_catalog.||) n";
  Bracket bracket;
  bracket.begin.push_back({"SELECT pg_catalog.set_config(" + was +
                               ", pg_catalog.current_setting(n), true)"
                               " FROM pg_catalog.unnest($1::pg_catalog.text[]) AS s (n)",
                           pg::Params::Of(names)});
  bracket.begin.push_back(
      {"SELECT pg_catalog.set_config(n, v, true) FROM ROWS FROM ("
       " pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))"
       " AS s (n, v)",
       pg::Params::Of(names, values)});
  bracket.end = {"SELECT pg_catalog.set_config(n, pg_catalog.current_setting(" + was +
                     "), true) FROM pg_catalog.unnest($1::pg_catalog.text[]) AS s (n)",
                 pg::Params::Of(names)};
  return bracket;
}

Settings ExactTexts() {
  return {{"DateStyle", "ISO, YMD"},
          {"IntervalStyle", "postgres"},
          {"bytea_output", "hex"},
          {"extra_float_digits", "1"}};
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
