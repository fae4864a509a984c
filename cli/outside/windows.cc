#include "cli/outside/windows.h"

#include <fmt/format.h>

#include <utility>

#include "engine/watch/read_all.h"

namespace pgalter::cli::outside {

namespace {

constexpr async::Milliseconds kEvery{2'000};
constexpr async::Milliseconds kEveryWithout{20'000};  // somebody may set some meanwhile

// One that was begun with broken glass is not held: somebody has answered for it. Windows are for
// what may take longer than windows_over, as the plan has estimated it; a blackout is for all.
constexpr const char* kPolicy = R"sql(
SELECT p.settings::text FROM (
  SELECT CASE WHEN (SELECT make_interval(secs => sum((s.spec->'plan'->'duration'->>'high_s')::float8))
                    FROM pgalter.step s WHERE s.run = $1::uuid AND s.kind <> 'gate'
                    HAVING bool_and(s.spec->'plan'->'duration'->'high_s' IS NOT NULL))
                   <= (settings->>'windows_over')::interval
         THEN settings - 'windows' ELSE settings END AS settings FROM pgalter.policy) p
WHERE (p.settings ? 'windows' OR p.settings ? 'blackouts')
  AND NOT EXISTS (SELECT FROM pgalter.exemption e WHERE e.direction = 'run' AND e.version = $1::uuid::text)
  AND NOT EXISTS (SELECT FROM pgalter.exemption e JOIN pgalter.migration m ON m.version = e.version
                  WHERE (e.direction = 'up' AND m.run = $1::uuid)
                     OR (e.direction = 'down' AND m.down_run = $1::uuid))
)sql";

constexpr const char* kMayRead = R"sql(
SELECT to_regclass('pgalter.policy') IS NOT NULL,
       COALESCE(has_table_privilege(to_regclass('pgalter.policy'), 'SELECT')
                AND has_table_privilege(to_regclass('pgalter.exemption'), 'SELECT')
                AND has_table_privilege(to_regclass('pgalter.migration'), 'SELECT'), false),
       quote_ident(current_user)
)sql";

constexpr const char* kOpen = R"sql(
SELECT (NOT s ? 'windows' OR pgalter.is_open(s->'windows', clock_timestamp()))
       AND NOT (s ? 'blackouts' AND pgalter.is_open(s->'blackouts', clock_timestamp()))
FROM (SELECT $1::jsonb AS s) p
)sql";

constexpr const char* kNext = R"sql(
SELECT to_char(min(m) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')
FROM (SELECT $1::jsonb AS s) p,
     generate_series(date_trunc('minute', clock_timestamp()),
                     clock_timestamp() + interval '15 days', '1 minute') m
WHERE m > clock_timestamp() AND (NOT s ? 'windows' OR pgalter.is_open(s->'windows', m))
  AND NOT (s ? 'blackouts' AND pgalter.is_open(s->'blackouts', m))
)sql";

watch::Reading Blank() {
  watch::Reading reading;
  reading.signal = "window";
  reading.limit = 1;
  return reading;
}

bool IsClosed(const std::optional<watch::Reading>& reading) {
  return reading && reading->seen == watch::Seen::kMeasured && reading->value >= 1;
}

}  // namespace

Windows::Windows(guard::SessionOptions session, std::string run)
    : options_(watch::WatchingSession(std::move(session))), run_(std::move(run)) {}

Task<Windows::Found> Windows::Look() {
  if (!session_.open()) session_ = co_await guard::Session::Open(options_);
  pg::Connection& db = session_.db();
  const pg::Result may = co_await db.Query(kMayRead);
  if (!may.Get<bool>(0, 0)) co_return Found::kNone;  // a schema from before there were policies
  if (!may.Get<bool>(0, 1)) {
    // There may be a window that is shut: nobody knows, so it is.
    watch::Reading hidden = Blank();
    hidden.seen = watch::Seen::kMissingRight;
    hidden.text = fmt::format(
        "the windows of this database's policy are hidden from {0}: GRANT SELECT ON "
        "pgalter.policy, pgalter.exemption, pgalter.migration TO {0}",
        may.Get<std::string>(0, 2));
    reading_ = std::move(hidden);
    co_return Found::kSome;
  }
  const pg::Result policy = co_await db.Query(kPolicy, run_);
  if (policy.empty()) co_return Found::kNone;
  const auto settings = policy.Get<std::string>(0, 0);
  const pg::Result open = co_await db.Query(kOpen, settings);
  watch::Reading reading = Blank();
  reading.seen = watch::Seen::kMeasured;
  if (open.Get<bool>(0, 0)) {
    reading.text = "open";
  } else if (IsClosed(reading_)) {
    co_return Found::kSome;  // it has its text
  } else {
    const pg::Result next = co_await db.Query(kNext, settings);
    const auto opens = next.Get<std::optional<std::string>>(0, 0);
    reading.value = 1;
    reading.text = opens ? fmt::format("no window is open; the next opens at {}", *opens)
                         : "no window is open, and none opens in the next 15 days";
  }
  reading_ = std::move(reading);
  co_return Found::kSome;
}

Task<Windows::Found> Windows::LookOrSayWhyNot() {
  std::string why;
  try {
    co_return co_await Look();
  } catch (const pg::PgError& error) {
    why = error.what();
  }
  // Where there were none, a server without room for one more session is no reason to stop.
  if (looked_ && !reading_) co_return Found::kNone;
  watch::Reading reading = Blank();
  reading.seen = watch::Seen::kUnreadable;
  reading.text = why;
  reading_ = std::move(reading);
  co_return Found::kSome;
}

Task<std::optional<std::string>> Windows::WhyHidden() {
  const Found found = co_await LookOrSayWhyNot();
  if (found == Found::kNone) session_ = guard::Session();  // there may be no room for it later
  if (!reading_ || reading_->seen != watch::Seen::kMissingRight) co_return std::nullopt;
  co_return reading_->text;
}

Task<> Windows::Follow() {
  for (;;) {
    const Found found = co_await LookOrSayWhyNot();
    looked_ = true;
    if (found == Found::kNone) {
      reading_.reset();
      session_ = guard::Session();
    }
    const async::Milliseconds pause = found == Found::kNone ? kEveryWithout : kEvery;
    co_await async::SleepFor(pause);
  }
}

Task<std::optional<std::string>> Windows::WhyNot() {
  constexpr async::Milliseconds kLook{5};
  while (!looked_) co_await async::SleepFor(kLook);
  if (!reading_ || (reading_->readable() && !IsClosed(reading_))) co_return std::nullopt;
  co_return reading_->text;
}

std::optional<watch::Reading> Windows::reading() const { return reading_; }

}  // namespace pgalter::cli::outside
