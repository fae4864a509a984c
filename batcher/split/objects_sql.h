// What a split makes, as statements. Pure.
//
// Until the gate the columns stay where they are, and the new table's name is a view of them: old
// and new programs read and write the same row, so there is nothing between them that could be
// lost, and no second row that two of them could lock in opposite orders. Beside it triggers on the
// source keep the table up that takes the view's place: one way, in the transaction of every
// change.
#pragma once

#include <string>
#include <vector>

#include "batcher/split/source.h"
#include "planner/plan/plan.h"

namespace pgalter::split {

using Texts = std::vector<std::string>;

// The names of what is there until the swap.
struct Names {
  explicit Names(const Source& source);
  std::string source;
  std::string view;    // under the new table's name
  std::string target;  // the new table, until the swap
  std::string sync;    // function of the triggers on the source
  std::string put;     // function of the view's triggers
  std::string trigger = "pgalter_split";
  std::string key;          // the new table's primary key
  std::string foreign_key;  // and what ties it to the source
};

// Columns that have no default and may not be NULL: a row that has none of them is one that no new
// program has given to the new table yet, or one that it has deleted there.
std::vector<const Column*> Required(const Source& source);

// Between dollars that it does not hold: a name or a default may have any text.
std::string DollarQuoted(const std::string& body);

// For the steps that move rows.
plan::Split SplitOf(const Source& source);

Texts MakeAll(const Source& source);
Texts DropAll(const Source& source);
// In one transaction: the table takes the view's place and the columns go. The first one locks.
Texts Swap(const Source& source);

// One row: which triggers there are and since when. Changed, or away for a while, they may have
// missed a change.
std::string IdentityOfTriggers(const plan::Split& split);

}  // namespace pgalter::split
