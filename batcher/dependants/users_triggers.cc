#include "batcher/dependants/users_triggers.h"

#include <fmt/format.h>

namespace pgalter::dependants {

std::string UsersTriggers(std::string_view tables) {
  return fmt::format(R"sql(users_trigger AS (
  SELECT t.* FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
  JOIN pg_namespace n ON n.oid = f.pronamespace
  WHERE t.tgrelid IN ({})
    AND NOT (t.tgname LIKE 'pgalter\_%' AND (n.nspname = 'pgalter' OR n.nspname LIKE 'pgalter\_%')))
)sql",
                     tables);
}

}  // namespace pgalter::dependants
