// In a run's spec, for the audit log: what people have asked for, where the run does not say it.
#pragma once

namespace pgalter::state {

// The command that they gave, where another one carries it out.
inline constexpr const char* kAsked = "asked";
// The partitions that it was about.
inline constexpr const char* kAskedPartitions = "asked_partitions";

}  // namespace pgalter::state
