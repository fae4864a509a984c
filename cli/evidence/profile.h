// What a body of rules asks of a change, each question with what this report holds of it. An answer
// is found in the report, or is missing in it, or is for people to attest. Nothing here says that
// rules are complied with.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/evidence/html.h"

namespace pgalter::cli::evidence {

// part11, hipaa, gobd.
[[nodiscard]] std::vector<std::string> ProfileNames();

// The questions of `name`, answered from the rest of the report. Pure.
[[nodiscard]] boost::json::object AnswerProfile(std::string_view name,
                                                const boost::json::object& report);

void ProfileSection(Html& html, const boost::json::value& profile);

}  // namespace pgalter::cli::evidence
