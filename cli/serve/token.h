// The token that the dashboard asks for.
#pragma once

#include <string>

namespace pgalter::cli::serve {

// 256 bits from the system, as letters and digits.
std::string MakeToken();

// The first line of the file. Throws Rejected where it cannot be read, is short, or has characters
// that an address or a header would change.
std::string ReadToken(const std::string& file);

}  // namespace pgalter::cli::serve
