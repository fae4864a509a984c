// Who waits behind whom, as text and as JSON. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "engine/lock/trees_json.h"

namespace pgalter::cli {

std::string LockTreeText(const std::vector<lock::LockNode>& trees,
                         const lock::StepsAtWork& steps = {});
// The same of trees that were kept as JSON.
std::string KeptTreeText(const boost::json::array& trees);
boost::json::object LocksJson(const std::vector<lock::LockNode>& trees,
                              const lock::StepsAtWork& steps = {});

}  // namespace pgalter::cli
