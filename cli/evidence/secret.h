// Statements that can hold a password or a connection string: they are not shown. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

namespace pgalter::cli::evidence {

// On the safe side: a column's name alone is no secret, what is set to a text may be one.
bool CanHoldSecret(std::string_view sql);

// Every text in it that can hold one is replaced. Returns how many were.
int HideSecrets(boost::json::value& json);

}  // namespace pgalter::cli::evidence
