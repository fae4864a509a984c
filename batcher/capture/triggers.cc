#include "batcher/capture/triggers.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "batcher/capture/parts.h"
#include "engine/async/fail_point.h"

namespace pgalter::capture {

namespace {

// What has to be there: tables, and a trigger of each.
struct Wanted {
  std::vector<std::int64_t> tables;
  std::vector<std::string> triggers;

  void Add(pg::Oid table, std::string trigger) {
    tables.push_back(table);
    triggers.push_back(std::move(trigger));
  }
};

Task<Wanted> TriggersOf(Session& session, const Flow& flow) {
  Wanted wanted;
  const std::vector<Source> sources = flow.sources();
  for (std::size_t i = 0; i < sources.size(); ++i) wanted.Add(sources[i].oid, flow.trigger_of(i));
  if (!flow.also.empty()) co_return wanted;
  wanted.Add(flow.from_oid, flow.truncate_trigger());
  for (const Part& part : co_await ReadSourceParts(session, flow))
    wanted.Add(part.oid, flow.trigger());
  co_return wanted;
}

}  // namespace

Task<bool> AreTriggersWhole(Session& session, const Flow& flow) {
  const Wanted wanted = co_await TriggersOf(session, flow);
  // As they were made: one that somebody has switched off and on again is of another transaction
  // than what it depends on.
  const std::string whole = fmt::format(
      "tgenabled = 'A'{}",
      async::SafeguardOn("capture-untouched")
          ? " AND t.xmin = (SELECT d.xmin FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass"
            " AND d.objid = t.oid AND d.refclassid = 'pg_proc'::regclass LIMIT 1)"
          : "");
  const pg::Result found = co_await session.db().Query(
      fmt::format("SELECT NOT EXISTS (SELECT FROM unnest($1::int8[], $2::text[]) w (relid, name)"
                  " WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE tgrelid = w.relid"
                  "   AND tgname = w.name AND {}))",
                  whole),
      wanted.tables, wanted.triggers);
  co_return found.Get<bool>(0, 0);
}

}  // namespace pgalter::capture
