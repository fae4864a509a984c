// Keys back: foreign keys that went when a table left its place are made again when it is back,
// without a scan under the lock: NOT VALID, and validated once users work on.
#pragma once

#include <string>
#include <vector>

#include "batcher/rebuild/going_keys.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

struct KeysBack {
  std::vector<std::string> after;     // once the table that comes back has its name
  std::vector<std::string> validate;  // as of CarryOver
  std::vector<std::string> adopt;
};

// Of tables that are still there; `own`: the name of the table that comes back.
Task<KeysBack> ReadKeysBack(Session& session, const std::vector<rebuild::GoingKey>& keys,
                            std::string own);

}  // namespace pgalter::cutover
