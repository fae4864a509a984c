#pragma once

// Text in XML 1.0. Characters that XML has no way to write are spelled out (\x1B).

#include <string>
#include <string_view>

namespace pgalter::lint {

// Fit for an attribute in double quotes and for text between tags.
[[nodiscard]] std::string XmlEscape(std::string_view text);

inline constexpr std::string_view kXmlDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

}  // namespace pgalter::lint
