#include "cli/opposite.h"

#include <fmt/format.h>

#include "cli/shell_words.h"

namespace pgalter::cli {

namespace {

// A conversion by copy, and a partitioned table that is made plain, are rebuilds with a definition.
bool MayBeOfPartitions(const state::Run& run) {
  const auto* definition = run.spec.if_contains("definition");
  return run.command == "rebuild" && definition != nullptr && definition->is_string() &&
         !definition->as_string().empty();
}

}  // namespace

std::string OppositeOf(const state::Run& run) {
  if (const auto* sql = run.spec.if_contains(kOpposite))
    return fmt::format("make the opposite change with: pgalter run --sql {} --yes",
                       ForShell(std::string(sql->as_string())));
  std::string command = "pgalter run";
  if (run.command == "rebuild") command = "pgalter rebuild";
  if (MayBeOfPartitions(run))
    command += ", or, of what partitions it, pgalter partition undo, or convert";
  if (run.command == "partition convert") command = "pgalter partition undo";
  if (run.command == "partition split") command = "pgalter partition merge";
  if (run.command == "partition merge") command = "pgalter partition split";
  return fmt::format("make the opposite change of {} with: {}", run.target, command);
}

std::string Anew(const state::Run& run) {
  std::string command = "pgalter " + run.command;
  if (MayBeOfPartitions(run)) command += ", or pgalter partition convert, or undo";
  return fmt::format("start anew with the command that began it: {}", command);
}

}  // namespace pgalter::cli
