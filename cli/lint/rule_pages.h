// The rules, for those who read of them: a list, and a page each. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "planner/lint/options.h"
#include "planner/lint/rule.h"

namespace pgalter::cli {

// As these options leave them: on or off, and how severe.
std::string RuleListText(const lint::Options& options);
boost::json::object RuleListJson(const lint::Options& options);

// docs/rules/ID.md; made from the table of rules where there is none.
std::string RulePage(const lint::Rule& rule);

// Throws Rejected (usage), naming the nearest.
const lint::Rule& RuleNamed(const std::string& id);

}  // namespace pgalter::cli
