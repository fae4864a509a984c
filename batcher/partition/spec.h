// Spec: what a conversion by attaching was asked for, and what was settled before it began, as it
// is kept with the run.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "batcher/partition/bounds.h"
#include "batcher/partition/subdivision.h"
#include "engine/guard/role_settings.h"

namespace pgalter::partition {

// A unique key that does not hold the partition column. It is widened by it: the server can only
// keep a key in a partitioned table that does.
struct WidenedKey {
  std::string index;       // quoted; the constraint's name, too
  std::string constraint;  // "PRIMARY KEY", "UNIQUE"; empty: an index alone
  std::string columns;     // "id"
  std::string wide;        // "id, made"
  std::string rest;        // " INCLUDE (note)"
  std::string storage;     // " WITH (fillfactor=60)"
  std::string tablespace;  // " TABLESPACE fast", or empty
  std::string deferrable;  // " DEFERRABLE INITIALLY DEFERRED"
  std::string build;       // the name, quoted, under which the wide one is built
  std::string lacks = {};  // "made": for people, not kept with the run
};

// What follows the columns in CREATE INDEX, and in a constraint.
std::string StoredIndex(const WidenedKey& key);
std::string StoredKey(const WidenedKey& key);

// One sequence goes over into another: the options that make it anew for the way back.
struct Identity {
  std::string column;   // quoted
  std::string kind;     // "ALWAYS", "BY DEFAULT"
  std::string name;     // of the sequence, quoted, without schema
  std::string options;  // "INCREMENT BY 3 …"
};

// What becomes of foreign keys of other tables that refer to a key that is widened.
enum class InboundFk { kRefuse, kDrop, kWiden, kTrigger };

// Triggers that stand for a foreign key: what is asked before a partition goes (referrers.h).
struct InboundCheck {
  std::string table;     // that had it: quoted, with its schema
  std::string name;      // of the key, quoted
  std::string function;  // of the triggers on the parent: "public.line_of_event_referred()"
  std::string rows;      // as of CheckedTriggers
  std::string refers;
  std::vector<std::string> columns;  // of the table that had it, that refer: quoted
  // By which that is found, whatever it is called by then.
  std::string refers_function;  // of the triggers on it
  pg::Oid relid = 0;
};

struct Spec {
  std::string table;  // quoted, with its schema
  KeyColumn column;
  Period period;
  std::string time_zone = "UTC";
  int premake = 4;
  bool with_default = true;
  bool allow_weaker_keys = false;  // others than the primary key
  InboundFk inbound_fk = InboundFk::kRefuse;
  // How the new ranges are partitioned themselves, and by which column; the old table is not, and
  // neither is the default partition.
  Subdivision then;
  std::string then_column;   // not quoted; empty: they are not
  guard::Settings settings;  // of the role

  // Settled by Prepare.
  std::string schema;       // the run's own, quoted
  std::string relname;      // of the table, quoted
  std::string home;         // its schema, quoted
  std::string first;        // the name, quoted, that the table has as a partition
  std::string upto;         // a literal: rows from here on go to the next partitions
  std::vector<Range> next;  // with whole names, quoted
  std::string rest;         // the default partition's name, quoted; empty: none
  std::vector<WidenedKey> keys;
  std::vector<Identity> identities;
  // "ALTER TABLE … ADD CONSTRAINT …" of the foreign keys that go, with the tables that have them
  // and "COMMENT ON CONSTRAINT …", empty where there is none.
  std::vector<std::string> inbound;
  std::vector<std::string> inbound_tables;
  std::vector<pg::Oid> inbound_relids;
  std::vector<std::string> inbound_comments;
  std::vector<std::string> inbound_make;  // in the cut-over: what takes their place
  std::vector<std::string> inbound_drop;  // on the way back, before they are added again
  std::vector<InboundCheck> inbound_checks;
};

// "widen"
const char* WordOf(InboundFk means);

// Those that unique keys have to hold, not quoted.
std::vector<std::string> PartColumns(const Spec& spec);

boost::json::array ToJson(const std::vector<InboundCheck>& checks);
boost::json::object ToJson(const Spec& spec);
Spec FromJson(const boost::json::object& json);

}  // namespace pgalter::partition
