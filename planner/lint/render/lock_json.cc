#include "planner/lint/render/lock_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "planner/lint/render/unicode.h"

namespace pgalter::lint {

namespace json = boost::json;

json::value LockJson(const Finding& finding) {
  if (!finding.lock) return nullptr;
  const locks::LockMode mode = finding.lock->mode;
  json::array blocks;
  if (locks::BlocksReads(mode)) blocks.emplace_back("reads");
  if (locks::BlocksWrites(mode)) blocks.emplace_back("writes");
  return json::object{{"mode", locks::Name(mode)},
                      {"relation", ValidUtf8(finding.lock->relation)},
                      {"blocks", std::move(blocks)}};
}

}  // namespace pgalter::lint
