#include "engine/run/failure.h"

#include <fmt/format.h>

#include "engine/async/deadline.h"
#include "engine/async/stopper.h"
#include "engine/guard/lease.h"
#include "engine/pg/error.h"
#include "engine/pg/reconnect_policy.h"
#include "engine/run/server_refusal.h"
#include "engine/run/take_over.h"
#include "engine/state/runs.h"
#include "engine/state/schema.h"

namespace pgalter::run {

namespace {

ExitCode CodeOf(pg::SqlstateClass klass) {
  switch (klass) {
    case pg::SqlstateClass::kConnectionLost:
      return ExitCode::kConnection;
    case pg::SqlstateClass::kNoRight:
      return ExitCode::kUnsupported;
    case pg::SqlstateClass::kLockNotAvailable:
      return ExitCode::kLockNotObtained;
    default:
      return ExitCode::kError;
  }
}

// What we do fires users' event triggers, at least.
std::string HintOf(const pg::PgError& error) {
  const std::string& function = error.fields().object;
  const bool finds_nothing = error.Is("42P01") || error.Is("42883") || error.Is("42704");
  if (!finds_nothing || function.find("function ") == std::string::npos) return error.fields().hint;
  return fmt::format(
      "that name is in {}, which is run with a search_path of pg_catalog alone here: ALTER "
      "FUNCTION … SET search_path = … says where it finds its names, whoever runs it; then again",
      function);
}

}  // namespace

Verdict Judge(const std::exception_ptr& error) {
  Verdict verdict;
  try {
    std::rethrow_exception(error);
  } catch (const ServerRefusal& failure) {
    verdict.code = failure.code();
    verdict.text = failure.what();
    verdict.sqlstate = failure.sqlstate();
    verdict.object = failure.object();
    verdict.hint = failure.hint();
  } catch (const Failure& failure) {
    verdict.code = failure.code();
    verdict.text = failure.what();
  } catch (const pg::PgError& failure) {
    verdict.code = failure.Is("0A000") ? ExitCode::kUnsupported : CodeOf(failure.klass());
    verdict.text = failure.what();
    verdict.sqlstate = failure.sqlstate();
    verdict.object = failure.fields().object;
    verdict.hint = HintOf(failure);
  } catch (const guard::LeaseLost& failure) {
    verdict.code = ExitCode::kPausedOrAborted;
    verdict.text = failure.what();
  } catch (const Beside& failure) {
    verdict.code = ExitCode::kRefused;
    verdict.text = failure.what();
    verdict.hint = failure.hint();
  } catch (const HasEnded& failure) {
    verdict.code = ExitCode::kRefused;
    verdict.text = failure.what();
    verdict.hint = failure.hint();
  } catch (const state::TableTaken& failure) {
    verdict.code = ExitCode::kRefused;
    verdict.text = failure.what();
  } catch (const state::PublishedSchema& failure) {
    verdict.code = ExitCode::kRefused;
    verdict.text = failure.what();
  } catch (const state::NewerSchema& failure) {
    verdict.code = ExitCode::kUnsupported;
    verdict.text = failure.what();
  } catch (const async::Stopped& failure) {
    verdict.code = ExitCode::kPausedOrAborted;
    verdict.text = failure.what();
  } catch (const std::exception& failure) {
    verdict.text = failure.what();
  }
  return verdict;
}

bool IsConnectionLoss(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const pg::ConnectError& failure) {
    return pg::WorthReconnecting(failure.klass());
  } catch (const pg::PgError& failure) {
    return failure.klass() == pg::SqlstateClass::kConnectionLost;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace pgalter::run
