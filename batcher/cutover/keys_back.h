// Keys back: foreign keys that went when a table left its place are made again when it is back,
// without a scan under the lock: NOT VALID, and validated once users work on. They are made on the
// tables that had them, whatever those are called by then.
#pragma once

#include <string>
#include <vector>

#include "batcher/cutover/carry_over.h"
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

// What is to be said of keys that are not made again, as their tables were dropped; empty: there
// are none.
Task<std::string> SayLost(Session& session, const std::vector<rebuild::GoingKey>& keys,
                          std::string own);

// On the way back nothing joins these tables to the one that leaves, and they get their keys again.
Task<> JoinFormer(Session& session, const std::vector<rebuild::GoingKey>& keys, std::string own,
                  Joined& joined);

// `drop` of GoingKeys as it has to be said now: triggers are dropped where they hang, by the
// functions that they call, and a key also on partitions whose table has not adopted theirs yet.
Task<std::vector<std::string>> DropsNow(Session& session, std::vector<std::string> drop);

}  // namespace pgalter::cutover
