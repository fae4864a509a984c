#include <fmt/format.h>

#include "engine/check/checks.h"
#include "engine/watch/unit.h"

namespace pgalter::check {

namespace {

// Below this nobody notices that a table is read or written whole.
constexpr std::int64_t kSmall = 64LL * 1024 * 1024;

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  for (const TargetTable& table : context.target.tables) {
    const Wanted& wanted = table.wanted;
    if (!wanted.lock && !wanted.rewritten && !wanted.scanned) continue;
    const std::string size = watch::Format(static_cast<double>(table.bytes), watch::Unit::kBytes);
    std::string work = wanted.lock ? fmt::format("takes {}", locks::Name(*wanted.lock)) : "";
    if (wanted.rewritten || wanted.scanned)
      work += fmt::format("{}{}", work.empty() ? "" : " and ",
                          wanted.rewritten ? "writes the table anew" : "reads all of it");
    const bool stops = wanted.lock && locks::BlocksWrites(*wanted.lock);
    const std::string what = fmt::format("on {} ({}) it {}", table.name, size, work);
    const bool works = wanted.rewritten || wanted.scanned;
    if (!stops) {
      answers.push_back(Ok(what));
    } else if (works && table.bytes > kSmall) {
      answers.push_back(
          Warning(what,
                  fmt::format("{} wait until all of it is done",
                              locks::BlocksReads(*wanted.lock) ? "reads and writes" : "writes"),
                  "pgalter plan rewrites it into steps that keep nobody waiting"));
    } else {
      answers.push_back(
          Note(what,
               fmt::format("short, but while it waits for its lock {} queue behind it",
                           locks::BlocksReads(*wanted.lock) ? "reads and writes" : "writes"),
               "let pgalter run it: it asks for the lock in short attempts"));
    }
  }
  co_return answers;
}

}  // namespace

constinit const Check kChange{
    .id = "change", .fine = "no statement was given: --for \"ALTER ...\" tells more", .run = &Run};

}  // namespace pgalter::check
