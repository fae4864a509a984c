#include "batcher/backfill/role_settings.h"

namespace pgalter::backfill {

Task<std::vector<std::pair<std::string, std::string>>> RoleSettings(Session& session) {
  // reset_val is what the role would have had: our own session has set search_path.
  const pg::Result rows = co_await session.db().Query(
      "SELECT name, reset_val FROM pg_settings WHERE name IN ('search_path', 'TimeZone',"
      " 'DateStyle', 'IntervalStyle', 'extra_float_digits', 'bytea_output', 'lc_monetary',"
      " 'lc_numeric', 'lc_time', 'xmlbinary', 'xmloption', 'default_text_search_config')"
      " ORDER BY name");
  std::vector<std::pair<std::string, std::string>> settings;
  for (int i = 0; i < rows.rows(); ++i)
    settings.emplace_back(rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1));
  co_return settings;
}

}  // namespace pgalter::backfill
