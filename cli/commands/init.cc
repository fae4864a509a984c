#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

std::string Sentence(const state::Installation& done) {
  if (done.before == done.now)
    return fmt::format("schema pgalter is there already, version {}\n", done.now);
  if (done.before == 0) return fmt::format("schema pgalter installed, version {}\n", done.now);
  return fmt::format("schema pgalter upgraded from version {} to {}\n", done.before, done.now);
}

// The server says what is missing, not how to get it.
[[noreturn]] void ThrowMissingRight(guard::Session& session, const pg::PgError& error) {
  run::Verdict verdict = run::Judge(std::make_exception_ptr(error));
  verdict.code = ExitCode::kUnsupported;
  verdict.text = fmt::format("cannot install schema pgalter: {} (SQLSTATE {})",
                             error.fields().message, error.sqlstate());
  verdict.hint = fmt::format("as the database's owner: GRANT CREATE ON DATABASE {} TO {}",
                             sql::QuoteIdentifier(session.db().database()),
                             sql::QuoteIdentifier(session.db().user()));
  throw Rejected(std::move(verdict));
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  state::Installation done;
  try {
    done = co_await state::Install(session);
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
    ThrowMissingRight(session, error);
  }
  if (context.output == Output::kJson) {
    const boost::json::object schema{{"before", done.before}, {"now", done.now}};
    PrintJson({{"version", 1}, {"schema", schema}});
  } else {
    Print(Sentence(done));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kInitCommand;
const CommandBody kInitCommand{
    .description =
        "Installs the schema pgalter, in which runs keep their state, or upgrades it. Running it "
        "again changes nothing.\n\n"
        "Needs CREATE on the database. Refused where a publication would send the schema's tables "
        "to subscribers.",
    .run = &Run};

}  // namespace pgalter::cli
