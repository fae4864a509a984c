// Noted: what a table's columns, indexes and constraints are said to be, by comments, by which of
// its CHECKs are valid and by the index to CLUSTER ON, as it was when the table that takes its
// place was made. What is another at the swap was altered by users since, and goes over; what the
// new definition says stays.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::rebuild {

using async::Task;
using guard::Session;

struct Noted {
  bool known = false;             // a run of an older program has none
  std::vector<std::string> of;    // as NotedOf writes it
  std::vector<std::string> text;  // of each; what has none is left out
};

boost::json::object ToJson(const Noted& noted);
Noted NotedFromJson(const boost::json::object& json);

// With those of its partitions, at whatever depth.
Task<Noted> ReadNoted(Session& session, pg::Oid table);

// Relation `noted_now` of the tables that a query has: relid, kind (column, index, order,
// constraint, validity), name, text (or NULL), and `of`, the same for two tables of one name.
std::string NotedOf(std::string_view tables);

}  // namespace pgalter::rebuild
