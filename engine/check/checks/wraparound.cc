#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT age(d.datfrozenxid)::float8, current_setting('autovacuum_freeze_max_age')::float8,
       mxid_age(d.datminmxid)::float8,
       current_setting('autovacuum_multixact_freeze_max_age')::float8
FROM pg_database d WHERE d.datname = current_database()
)sql";

constexpr double kLimit = 2'000'000'000;  // the server refuses writes shortly after
constexpr double kDanger = 0.75;

void Judge(double age, double freeze_at, const char* kind, Answers& answers) {
  const std::string what =
      fmt::format("the oldest {} is {:.0f} million back, of 2,000", kind, age / 1e6);
  if (age > kDanger * kLimit) {
    answers.push_back(Blocker(what,
                              "the server stops taking writes when they run out: vacuum first",
                              "VACUUM (FREEZE) the oldest tables, and find what held it back"));
  } else if (age > freeze_at) {
    answers.push_back(Warning(
        what, "vacuums against wraparound are due or under way: they give way to nobody's lock",
        "let them end before the change"));
  }
}

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  Judge(row.Get<double>(0, 0), row.Get<double>(0, 1), "transaction id", answers);
  Judge(row.Get<double>(0, 2), row.Get<double>(0, 3), "multixact id", answers);
  co_return answers;
}

}  // namespace

constinit const Check kWraparound{
    .id = "wraparound", .fine = "transaction ids are far from wraparound", .run = &Run};

}  // namespace pgalter::check
