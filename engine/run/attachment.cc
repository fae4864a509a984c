#include "engine/run/attachment.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "engine/async/fail_point.h"
#include "engine/run/lock_history.h"
#include "engine/run/meter.h"
#include "engine/state/schema.h"

namespace pgalter::run {

namespace {

constexpr async::Milliseconds kBeatEvery{1000};
constexpr int kBeatsPerSample = 10;
// A beat waits for nobody's lock: without an answer for so long, the network is in doubt.
constexpr async::Milliseconds kBeatDeadline{10'000};

// The server is there, and slow or full for now: whether to go on is for the work to say.
bool IsTrouble(const pg::PgError& error) {
  return error.klass() == pg::SqlstateClass::kCancelled ||
         error.klass() == pg::SqlstateClass::kNoResource;
}

Task<> BeatAndObey(Attachment& attachment, async::Stopper& stopper, const Progress& progress,
                   state::Sampling sampling) {
  attachment.control = co_await state::ReadControl(attachment.pulse, attachment.run.id);
  if (attachment.control.wanted == state::Wanted::kPause)
    stopper.Stop(async::StopReason::kPause,
                 fmt::format("paused by {}", attachment.control.changed_by));
  if (attachment.control.wanted == state::Wanted::kAbort)
    stopper.Stop(async::StopReason::kAbort,
                 fmt::format("aborted by {}", attachment.control.changed_by));
  if (attachment.control.wanted == state::Wanted::kRevert)
    stopper.Stop(async::StopReason::kRevert,
                 fmt::format("reverted by {}", attachment.control.changed_by));
  co_await BeatOnce(attachment, progress, sampling);
}

boost::json::array StandbysJson(const Meter& meter) {
  boost::json::array standbys;
  for (const StandbyNow& standby : meter.standbys)
    standbys.push_back({{"name", standby.name},
                        {"lag_s", standby.seconds},
                        {"lag_bytes", standby.bytes},
                        {"limit_s", standby.limit_s}});
  return standbys;
}

boost::json::array SignalsJson(const Meter& meter) {
  boost::json::array signals;
  for (const SignalNow& signal : meter.signals)
    signals.push_back({{"text", signal.text}, {"utilisation", signal.utilisation}});
  return signals;
}

Task<> RefuseStandby(guard::Session& session) {
  const pg::Result recovery = co_await session.db().Query("SELECT pg_catalog.pg_is_in_recovery()");
  if (!recovery.Get<bool>(0, 0)) co_return;
  pg::PgErrorFields fields;
  fields.sqlstate = pg::sqlstate::kReadOnly;  // as a lost connection: it may be promoted
  fields.message = "the server is in recovery: it is a standby, or not up yet";
  fields.hint = "name the primary, or all servers with target_session_attrs=read-write";
  throw pg::PgError(std::move(fields));
}

}  // namespace

Task<Attachment> Attach(const RunnerOptions& options, const std::string& owner, Claim claim) {
  Attachment made;
  made.sessions.connect = options.connect;
  made.sessions.run = options.run;
  made.outside = options.outside;
  Meter::OfThisProcess() = Meter();
  made.main = co_await guard::Session::Open(made.sessions);
  co_await RefuseStandby(made.main);
  co_await state::RefusePublication(made.main);
  auto run = co_await state::FindRun(made.main, options.run);
  if (!run)
    throw Failure(ExitCode::kUsage,
                  fmt::format("there is no run {} in this database; see: pgalter ps", options.run));
  made.run = std::move(*run);
  made.lease = co_await TakeOver(made.main, options.run, owner, claim);
  async::FailPoint("lease-taken");
  made.observer = co_await guard::Session::Open(made.sessions);
  made.pulse = co_await guard::Session::Open(made.sessions);
  made.steps = co_await state::LoadSteps(made.main, options.run);
  made.control = co_await state::ReadControl(made.main, options.run);
  co_return made;
}

Task<> BeatOnce(Attachment& attachment, const Progress& progress, state::Sampling sampling) {
  const Meter& meter = Meter::OfThisProcess();
  state::Pulse pulse;
  pulse.phase = progress.phase;
  pulse.state = progress.note.empty() ? state::RunState::kRunning : state::RunState::kWaiting;
  pulse.done_rows = progress.done_rows;
  pulse.total_rows = progress.total_rows;
  pulse.rows_per_s = progress.rows_per_s;
  pulse.throttle_ratio = progress.throttle_ratio;
  pulse.throttle_reason = progress.throttle_reason;
  pulse.progress = {{"fraction", progress.fraction},
                    {"rows_per_s", progress.rows_per_s},
                    {"eta_low_s", progress.eta_low_s},
                    {"eta_high_s", progress.eta_high_s},
                    {"throttle_ratio", progress.throttle_ratio},
                    {"throttle_reason", progress.throttle_reason},
                    {"hot_share", progress.hot_share},
                    {"chunks", progress.chunks},
                    {"worst_chunk_ms", progress.worst_chunk_ms},
                    {"chunk_ms", meter.chunk_ms},
                    {"chunk_rows", meter.chunk_rows},
                    {"commit_ms", meter.commit_ms},
                    {"standbys", StandbysJson(meter)},
                    {"signals", SignalsJson(meter)},
                    {"waiting_rows", progress.waiting_rows},
                    {"quarantined_rows", progress.quarantined_rows},
                    {"remark", progress.remark},
                    {"note", progress.note},
                    {"step", progress.step},
                    {"steps", progress.steps},
                    {"gate", progress.gate}};
  co_await state::Beat(attachment.pulse, attachment.lease, pulse, sampling);
}

Task<> KeepPulse(Attachment& attachment, async::Stopper& stopper, Progress& progress) {
  pg::Connection& db = attachment.pulse.db();
  db.set_query_deadline(async::LimitOf("beat-deadline", kBeatDeadline));
  bool listens = false;
  LockHistory locks(attachment.lease);
  for (int beat = 0; !attachment.is_over; ++beat) {
    const auto sampling =
        beat % kBeatsPerSample == 0 ? state::Sampling::kYes : state::Sampling::kNo;
    try {
      if (!listens) co_await db.Query(fmt::format("LISTEN {}", state::kControlChannel));
      listens = true;
      co_await BeatAndObey(attachment, stopper, progress, sampling);
      co_await locks.Look(attachment.pulse, progress.phase);
    } catch (const pg::PgError& error) {
      if (!IsTrouble(error)) throw;
    }
    co_await db.WaitNotification(kBeatEvery);
  }
}

}  // namespace pgalter::run
