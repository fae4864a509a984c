// A table whose rows refer to those of events: a row to each, and to each that comes.
#pragma once

#include <fmt/format.h>

#include <string>

namespace pgalter::test {

inline constexpr const char* kPlainLine =
    "CREATE TABLE line (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event bigint, "
    "event_made "
    "timestamptz)";
inline constexpr const char* kPartedLine =
    "CREATE SEQUENCE line_n; CREATE TABLE line (n bigint DEFAULT nextval('line_n') PRIMARY KEY, "
    "event bigint, event_made timestamptz) PARTITION BY HASH (n); CREATE TABLE line_0 PARTITION OF "
    "line FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE line_1 PARTITION OF line FOR "
    "VALUES "
    "WITH (MODULUS 2, REMAINDER 1)";
inline constexpr const char* kLineActions =
    "ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED";

// Once events are partitioned.
inline std::string Referring(const char* line) {
  return fmt::format(
      "{}; CREATE INDEX ON line (event, event_made); INSERT INTO line (event, event_made) SELECT "
      "id, made FROM events; ALTER TABLE line ADD CONSTRAINT of_event FOREIGN KEY (event, "
      "event_made) REFERENCES events (id, made) {}; COMMENT ON CONSTRAINT of_event ON line IS "
      "'whose line it is'; CREATE FUNCTION refer() RETURNS trigger LANGUAGE plpgsql SET "
      "search_path "
      "= public AS $$ BEGIN INSERT INTO line (event, event_made) VALUES (new.id, new.made); RETURN "
      "NULL; END $$; CREATE TRIGGER referring AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION "
      "refer()",
      line, kLineActions);
}

// Rows of either side without one of the other: there are none.
inline constexpr const char* kUnreferred =
    "SELECT count(*) FROM line l FULL JOIN events e ON e.id = l.event AND e.made = l.event_made "
    "WHERE e.id IS NULL OR l.n IS NULL";
// Its keys: "of_event t".
inline constexpr const char* kReferringKey =
    "SELECT string_agg(format('%s %s', conname, convalidated), ', ') FROM pg_constraint WHERE "
    "contype = 'f' AND conrelid = 'line'::regclass AND confrelid = 'events'::regclass";

}  // namespace pgalter::test
