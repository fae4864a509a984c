// The role's settings that decide what users' SQL means. Read once, kept with a run, so that every
// later runner means the same.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::guard {

using Settings = std::vector<std::pair<std::string, std::string>>;

Task<Settings> RoleSettings(Session& session);

// For statements between `begin` and `end`, in one transaction: the settings are in force, and then
// again what was before. One within another would not find its way back.
struct Bracket {
  std::vector<pg::Statement> begin;
  pg::Statement end;
};
Bracket Under(const Settings& settings);

// Under which every value, written as text and read again under whatever settings, is the same.
Settings ExactTexts();

// As a run's spec keeps them.
boost::json::array ToJson(const Settings& settings);
Settings SettingsFromJson(const boost::json::array& json);

}  // namespace pgalter::guard
