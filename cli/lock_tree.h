// Who waits behind whom, as text and as JSON. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "engine/lock/locks_view.h"

namespace pgalter::cli {

std::string LockTreeText(const std::vector<lock::LockNode>& trees);
boost::json::object LocksJson(const std::vector<lock::LockNode>& trees);

}  // namespace pgalter::cli
