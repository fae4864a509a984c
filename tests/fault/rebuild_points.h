// The points at which a rebuild is killed, and at which of its passings.
#pragma once

#include <array>

namespace pgalter::test {

inline constexpr std::array kRebuildPoints{
    "shadow-made",     "capture-in-ledger", "capture-made",    "copy-checked:3",
    "copy-recorded:3", "copy-committed:3",  "purged",          "index-built",
    "index-built:2",   "index-made",        "changes-taken:2", "keys-applied:2",
    "round-done:2",    "range-compared",    "compared",        "drained",
    "swapped",         "swap-not-flushed",  "cut-over",        "key-validated"};

// Of a table whose key says nothing of the order on disk.
inline constexpr std::array kSlicePoints{"slice-compared", "slice-compared:2", "compared"};

// Of a partitioned table that stays one with the same partitions.
inline constexpr std::array kLeafPoints{"leaves-compared", "leaves-compared:2", "compared"};

// Into a partitioned table, whose keys are built partition by partition.
inline constexpr std::array kPartitionPoints{
    "shadow-made",    "capture-made",    "copy-recorded:3", "copy-committed:3", "purged:2",
    "index-made:2",   "index-built",     "index-built:4",   "index-built:5",    "index-built:9",
    "keys-applied:2", "round-done:2",    "compared",        "drained",          "swapped",
    "cut-over",       "key-validated:2", "key-adopted"};

// Of three tables in one cut-over.
inline constexpr std::array kSeveralPoints{"shadow-made",     "capture-in-ledger:2",
                                           "capture-made",    "capture-made:2",
                                           "copy-recorded:2", "copy-committed:3",
                                           "purged",          "purged:2",
                                           "purged:3",        "index-built",
                                           "index-built:2",   "index-built:5",
                                           "keys-applied:2",  "round-done:3",
                                           "compared",        "compared:2",
                                           "compared:3",      "drained",
                                           "swapped",         "cut-over",
                                           "key-validated",   "key-validated:4"};

// Of a table that materialized views read.
inline constexpr std::array kMatviewPoints{"matviews-made", "matview-filled", "matview-filled:3",
                                           "drained",       "swapped",        "cut-over"};

// On the way back.
inline constexpr std::array kRevertPoints{"changes-taken",    "drained",      "swapped",
                                          "swap-not-flushed", "swapped-back", "undo-unrecorded",
                                          "undo-recorded:3"};

}  // namespace pgalter::test
