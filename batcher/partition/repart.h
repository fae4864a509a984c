// Repart: one partition is replaced by several, with its rows parted anew, under its users: a range
// that is split, or the default partition, from which rows go to partitions of their own. Or
// several by one: a merge of what is too large to be moved under the lock.
//
// The partition, or each of them, is the source of a rebuild whose new table has the new
// partitions: copied in chunks, followed, compared. In the swap they take its place in the whole. A
// row is visible once in every snapshot: in the old partition before, in a new one after. Of a
// table without a key, in which no change of a row could be followed, few rows are moved while
// users wait, as by a merge.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "batcher/partition/bound_wish.h"
#include "batcher/partition/obstacles.h"
#include "batcher/rebuild/spec.h"
#include "engine/lock/ladder.h"
#include "engine/state/steps.h"

namespace pgalter::partition {

struct Target {
  std::string name;     // quoted, without schema: while it is made
  std::string becomes;  // quoted: in the swap; often the same
  std::string bound;
  std::string inside;  // a CHECK that proves the bound in the swap; empty: none can
};

// As it is kept with the run, in its spec under "repart".
struct RepartSpec {
  std::string parent;  // quoted, with its schema
  pg::Oid parent_oid = 0;
  std::string home;               // the partitions' schema, quoted
  std::string source;             // quoted, without schema
  std::vector<std::string> also;  // more partitions that go with it, in the same schema; likewise
  std::vector<Target> targets;    // the default one last
  std::string rest;     // the default partition that stays; quoted, with its schema; empty: none
  std::string outside;  // its CHECK: no row of it belongs into a target
};

// As they are called once they are in place; quoted, with their schema.
std::vector<std::string> NewPartitions(const RepartSpec& spec);
// Those that go; quoted, with their schema.
std::vector<std::string> OldPartitions(const RepartSpec& spec);

inline constexpr const char* kRepart = "repart";
inline constexpr const char* kAfterIt = "after_it";  // in the run's spec: PreparedRepart::after_it
boost::json::object ToJson(const RepartSpec& spec);
RepartSpec RepartFromJson(const boost::json::object& json);

struct PreparedRepart {
  RepartSpec spec;
  rebuild::Spec rebuild;
  backfill::Table source;
  std::vector<pg::Oid> also;  // as in `spec`
  Moving moving = Moving::kByCopy;
  boost::json::array back;  // the source as it is, for a revert
  lock::LadderOptions ladder;
  double rows = 0;  // estimate
  std::int64_t bytes = 0;
  std::string after_it;                // a command: what is left to be split; empty: nothing
  std::vector<std::string> referring;  // tables whose foreign keys refer to the whole (rejoin.h)
};

struct Piece {
  std::string name;  // not quoted
  Bound bound;
};

// What stands in the way of replacing this partition. Throws run::Failure.
Task<> RefuseRepart(Session& session, const Whole& whole, const Member& source, Moving moving);
// Of the default partition that stays: it is read before, so that it need not be in the swap. None
// where there is none.
std::vector<state::Step> OutsideSteps(const RepartSpec& spec);

// The source is `source`, one of `members`. Where that is the default partition, a new one comes
// with the pieces. Writes nothing: what the server refuses of a copy is tried in a transaction that
// is rolled back. Throws run::Failure.
Task<PreparedRepart> PrepareRepart(Session& session, const Whole& whole,
                                   const std::vector<Member>& members, const Member& source,
                                   std::vector<Piece> pieces);

// The rebuild of a repart by copy. What the server refuses of it is tried in a transaction that is
// rolled back. Throws run::Failure.
Task<> PrepareCopy(Session& session, const Whole& whole, const Member& source,
                   PreparedRepart& prepared);

// Throws state::TableTaken.
Task<std::string> CreateRepartRun(Session& session, const PreparedRepart& prepared,
                                  std::string command);

}  // namespace pgalter::partition
