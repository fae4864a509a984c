#include <fmt/format.h>

#include <array>

#include "cli/context.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"

namespace pgalter::cli {

#define PGALTER_PARTITION_VERB(name) extern const PartitionVerb k##name;
#include "cli/partition/verbs.def"
#undef PGALTER_PARTITION_VERB

namespace {

namespace po = boost::program_options;

#define PGALTER_PARTITION_VERB(name) &k##name,
constexpr std::array kVerbs{
#include "cli/partition/verbs.def"
};
#undef PGALTER_PARTITION_VERB

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("by", po::value<std::string>(),
       "convert: 'range(COLUMN)', 'list(COLUMN)' or 'hash(COLUMN)'")  //
      ("every", po::value<std::string>(),
       "the width of a range, as '1 month' or, of numbers, 1000000; maintain: default: as the last "
       "one")  //
      ("values", po::value<std::vector<std::string>>()->composing()->value_name("NAME=VALUE,..."),
       "convert by list: one partition and what it holds; once for each")         //
      ("modulus", po::value<int>(), "convert by hash: the number of partitions")  //
      ("strategy", po::value<std::string>()->default_value("auto")->value_name("auto|attach|copy"),
       "convert: attach the table as the first range, without a copy; or copy all rows into their "
       "partitions; auto: attach where it is by range")                                           //
      ("workers", po::value<int>(), "convert by copy: sessions that copy at a time; default: 1")  //
      ("time-zone", po::value<std::string>()->default_value("UTC")->value_name("ZONE"),
       "in which days and months begin")                                                     //
      ("premake", po::value<int>()->default_value(4), "how many partitions are made ahead")  //
      ("default", po::value<std::string>()->default_value("yes")->value_name("yes|no"),
       "convert: a partition for rows that fit nowhere else")  //
      ("allow-weaker-keys",
       "convert: unique keys that lack the column get it, and are weaker for it; the primary key "
       "does in any case")  //
      ("inbound-fk", po::value<std::string>()->default_value("refuse")->value_name("refuse|drop"),
       "convert: foreign keys that refer to a key that is widened")  //
      ("dry-run", "show what would be made, and write nothing")      //
      ("detach", "leave a background runner, and return");
}

Task<ExitCode> Run(Context& context) {
  const std::string& name = context.Operand(0);
  for (const PartitionVerb* verb : kVerbs) {
    if (verb->name != name) continue;
    if (context.operands.size() != verb->most_operands + 1)
      throw Rejected(ExitCode::kUsage, fmt::format("partition {}: which table?", name),
                     fmt::format("pgalter partition {} TABLE", name));
    return verb->run(context);
  }
  std::string names;
  for (const PartitionVerb* verb : kVerbs)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", verb->name);
  throw Rejected(ExitCode::kUsage, fmt::format("partition \"{}\" is not known", name),
                 "one of: " + names);
}

}  // namespace

extern const CommandBody kPartitionCommand;
const CommandBody kPartitionCommand{
    .description =
        "convert TABLE: makes a partitioned table of a plain one while it is in full use. By "
        "range, "
        "the table becomes the first partition, and no row is copied, at any size: wide keys are "
        "built concurrently, a CHECK of the bound is added NOT VALID and validated, and then a "
        "parent "
        "with everything that hangs on the table takes its place in one short transaction, with "
        "the "
        "next partitions and one for the rest. With --strategy copy, and by list and by hash, all "
        "rows are copied into their partitions, as by `pgalter rebuild`.\n\n"
        "maintain TABLE: makes the next ranges, so that --premake of them lie beyond the newest "
        "row and "
        "the clock; made by anybody, in any way, they are gone on from. For cron. list TABLE: the "
        "partitions with their bounds and sizes, gaps, and rows that no range holds.\n\n"
        "After a crash of whatever kind `pgalter resume` goes on; `pgalter abort` before the "
        "cut-over leaves all as it was; `pgalter revert` after it makes the table plain again, "
        "with "
        "all rows.",
    .most_operands = 2,
    .least_operands = 1,
    .words = "convert maintain list",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
