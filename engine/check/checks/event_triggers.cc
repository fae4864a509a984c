#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// Those of extensions are told of with the extension.
constexpr const char* kSql = R"sql(
SELECT quote_ident(e.evtname), e.evtevent::text, e.evtfoid::regproc::text
FROM pg_event_trigger e
WHERE e.evtenabled <> 'D'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass
                  AND d.objid = e.oid AND d.deptype = 'e')
ORDER BY e.evtname
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result rows = co_await context.db.Query(kSql);
  for (int row = 0; row < rows.rows(); ++row) {
    std::string what = fmt::format("event trigger {} runs {} on {}", rows.Get<std::string>(row, 0),
                                   rows.Get<std::string>(row, 2), rows.Get<std::string>(row, 1));
    answers.push_back(Note(std::move(what),
                           "it runs inside each DDL statement, under its locks: it can refuse the "
                           "statement, be slow, or write rows of its own, for pgalter's own tables "
                           "and triggers, too",
                           "read the function; rehearse the change where it is installed"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kEventTriggers{
    .id = "event-triggers", .fine = "no event trigger runs on DDL", .run = &Run};

}  // namespace pgalter::check
