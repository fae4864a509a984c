// What both ways of parting a table ask: its column, its keys, names for its partitions.
#pragma once

#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "batcher/partition/bounds.h"
#include "batcher/partition/hindrance.h"
#include "batcher/partition/moment.h"
#include "batcher/partition/spec.h"

namespace pgalter::partition {

// Throws run::Failure (usage): the table has no such column.
Task<> RequireColumn(Session& session, const backfill::Table& table, std::string name);
// Throws run::Failure (refused): it may be NULL.
Task<> RequireNotNull(Session& session, const backfill::Table& table, std::string name);
// Of a range. Throws run::Failure: no column, of a type that no ranges are made of (usage), or with
// rows that are no times although they were said to be (refused).
// A uuid has to be of version 7; `epoch` says what integers count.
Task<KeyColumn> FindColumn(Session& session, const backfill::Table& table, std::string name,
                           Epoch epoch);
// Throws run::Failure (usage): not a width of such a column's ranges.
Period PeriodOf(const std::string& every, const KeyColumn& column);
Task<> RefuseUnknownZone(Session& session, std::string zone);

// What keeps the table from being attached. Asked before the run and again under the lock of the
// cut-over.
Task<Hindrance> FindHindrance(Session& session, pg::Oid table, std::string column);

// Foreign keys that refer to a key without one of the columns.
struct InboundKey {
  std::string table;  // quoted, with its schema
  std::string name;   // quoted
  std::string add;    // "ALTER TABLE … ADD CONSTRAINT …", with NOT VALID if it is not
  pg::Oid oid = 0;
  pg::Oid child = 0;       // the table
  bool to_itself = false;  // of the table that is converted
  // Whether its table takes a column: a partition takes none of its own, and the table that is
  // converted is copied as it is.
  bool widens = true;
  std::string index;    // of the table, that it refers to: quoted
  std::string comment;  // "COMMENT ON CONSTRAINT …"; empty: it has none
};
Task<std::vector<InboundKey>> FindInboundKeys(Session& session, pg::Oid table,
                                              std::vector<std::string> columns);

// Unique keys that lack one of the columns, with the form that has them; `build` is left empty.
// Throws run::Failure (refused): one that cannot be widened.
Task<std::vector<WidenedKey>> FindWidenedKeys(Session& session, pg::Oid table,
                                              std::vector<std::string> columns);

// Of a relation to be, not quoted. Throws run::Failure (usage): it is longer than the server keeps.
void RefuseLongName(const std::string& name);

// Quoted; the table's name is cut where it must be, so that what tells the parts apart stays: that
// has fewer than 60 bytes.
std::string PartName(const std::string& relname, const std::string& end);

// What an identifier, quoted or not, names. Pure.
std::string Unquoted(const std::string& name);

}  // namespace pgalter::partition
