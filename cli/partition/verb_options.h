// Which options a verb of `pgalter partition` takes, for its help.
#pragma once

#include <string_view>

namespace pgalter::cli {

// Whether the verb of that name takes the option. The command's description has a paragraph for
// each verb, which begins "split PARTITION: ".
bool VerbTakes(std::string_view verb, std::string_view option);

}  // namespace pgalter::cli
