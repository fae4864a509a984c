#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "cli/arguments.h"
#include "cli/capture_options.h"
#include "cli/context.h"
#include "cli/govern/open_run.h"
#include "cli/pace.h"
#include "cli/partition/copy_options.h"
#include "cli/partition/verb.h"
#include "cli/partition/verb_options.h"
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
  AddBreakGlass(options);
  options.add_options()  //
      ("by", po::value<std::string>(),
       "convert: 'range(COLUMN)', 'list(COLUMN)' or 'hash(COLUMN)'")  //
      ("then", po::value<std::string>(),
       "convert: each part is parted again, by 'hash(COLUMN)' (into 4, or --modulus) or by "
       "'list(COLUMN)' with --values; of an attached table the new ranges")  //
      ("every", po::value<std::string>(),
       "the width of a range, as '1 month' or, of numbers, 1000000; maintain: default: as the last "
       "one")  //
      ("epoch", po::value<std::string>()->value_name("seconds|milliseconds"),
       "convert, maintain, split, retain: the column is a number that counts these since 1970, and "
       "--every and --keep are times")  //
      ("values", po::value<std::vector<std::string>>()->composing()->value_name("NAME=VALUE,..."),
       "convert by list, split: one partition and what it holds, once for each; add, attach: of "
       "the "
       "one; NULL is one, and values are quoted as in SQL: \"eu='a, b',de\"; convert by range: the "
       "VALUE,... at which one range ends and the next begins, instead "
       "of --every, for text, numeric, uuid of any version, or unequal widths")  //
      ("modulus", po::value<int>(),
       "convert by hash: the number of partitions; add, attach: of the one")                  //
      ("remainder", po::value<int>(), "add, attach: which of the --modulus hashes it holds")  //
      ("strategy", po::value<std::string>()->default_value("auto")->value_name("auto|attach|copy"),
       "convert: attach the table as the first range, without a copy; or copy all rows into their "
       "partitions; auto: attach ranges of --every, and where only a copy can be made of them, "
       "copy, and say why")  //
      ("time-zone", po::value<std::string>()->default_value("UTC")->value_name("ZONE"),
       "in which days and months begin")                                                     //
      ("premake", po::value<int>()->default_value(4), "how many partitions are made ahead")  //
      ("default", po::value<std::string>()->default_value("yes")->value_name("yes|no"),
       "convert: a partition for rows that fit nowhere else; not where ranges of --values have no "
       "ends; add, attach: it is that one")  //
      ("from", po::value<std::string>()->value_name("VALUE"),
       "add, attach, split: where a range begins, a value for each column of the key; MINVALUE; of "
       "a uuid also a time; convert by a copy: "
       "where the first one does, instead of with the oldest row, of --values MINVALUE")  //
      ("to", po::value<std::string>()->value_name("VALUE"),
       "add, attach, split: where a range ends, itself not in it; MAXVALUE; convert by a copy: "
       "where the "
       "last one does, instead of --premake, of --values MAXVALUE")  //
      ("name", po::value<std::string>(),
       "add, merge: the partition's name; default: made of the bound, that of the first")  //
      ("hold-budget", po::value<std::string>()->default_value("1s"),
       "convert by a copy, undo, split: for so long users may wait while the new table or its "
       "partitions are put in place; merge: while rows are moved, where they can be in that time; "
       "detach, retain: while the old "
       "ones go")  //
      ("at", po::value<std::vector<std::string>>()->composing()->value_name("VALUE"),
       "split: where the next range begins, a value for each column of the key; once for each cut, "
       "in "
       "their order")  //
      ("keep", po::value<std::string>()->value_name("INTERVAL|N"),
       "retain: what ended longer ago goes; or all ranges that have begun but the last N")  //
      ("drop", "retain: what has gone is dropped, after --hold")                            //
      ("export", po::value<std::string>()->value_name("DIR"),
       "retain: the same, once its rows are in a file there, read again and compared")  //
      ("hold", po::value<std::string>()->value_name("INTERVAL"),
       "retain: so long a detached partition waits; default: 7 days")                       //
      ("reason", po::value<std::string>()->value_name("TEXT"), "hold: why nothing may go")  //
      ("as", po::value<std::string>()->value_name("PARENT"),
       "attach: the partitioned table that it becomes a part of")  //
      ("primary-key", po::value<std::string>()->value_name("COLUMN,..."),
       "convert: the columns of the primary key to come, in their order; default: those of now, "
       "and behind them the one by which rows are parted")  //
      ("allow-weaker-keys",
       "convert: unique keys that lack the column get it, and are weaker for it; the primary key "
       "does in any case")  //
      ("inbound-fk",
       po::value<std::string>()->default_value("refuse")->value_name("refuse|widen|trigger|drop"),
       "convert: foreign keys, the table's own among them, that refer to a key that is widened: "
       "refused; they get the column, too (those of plain other tables); triggers take their "
       "place; they go")  //
      ("rebuild-matviews",
       "convert by a copy, and undo: make materialized views that read the table anew over the new "
       "one, and refresh them")                                  //
      ("dry-run", "show what would be made, and write nothing")  //
      ("detach", "leave a background runner, and return");
  // Where rows are copied.
  AddCanaryOption(options);
  AddPaceOptions(options);
  AddCaptureOptions(options);
}

bool Takes(const PartitionVerb& verb, const std::string& option) {
  const auto among = [&](std::string_view options) {
    return fmt::format(" {} ", options).find(fmt::format(" {} ", option)) != std::string::npos;
  };
  return among(verb.options) || (verb.copies && among(kCopyOptions));
}

const PartitionVerb* FindVerb(std::string_view name) {
  const auto found = std::ranges::find(kVerbs, name, &PartitionVerb::name);
  return found == kVerbs.end() ? nullptr : *found;
}

// An option of another verb would do nothing, and not say so.
void RefuseOthers(const Context& context, const PartitionVerb& verb) {
  const po::options_description own = OwnOptions(*context.command);
  for (const auto& option : own.options()) {
    const std::string& name = option->long_name();
    if (!context.Has(name) || context.options[name].defaulted() || Takes(verb, name)) continue;
    std::vector<std::string> taken;
    for (const auto& other : own.options())
      if (Takes(verb, other->long_name())) taken.push_back("--" + other->long_name());
    throw Rejected(ExitCode::kUsage, fmt::format("--{} is not for partition {}", name, verb.name),
                   taken.empty() ? "it takes no options of its own"
                                 : fmt::format("it takes {}", fmt::join(taken, ", ")));
  }
}

Task<ExitCode> Run(Context& context) {
  const std::string& name = context.Operand(0);
  if (const PartitionVerb* verb = FindVerb(name)) {
    RefuseOthers(context, *verb);
    if (context.operands.size() < 2)
      throw Rejected(ExitCode::kUsage, fmt::format("partition {}: which table?", name),
                     fmt::format("pgalter partition {} {}", name, verb->operand));
    if (context.operands.size() > 2 && !verb->many)
      throw Rejected(ExitCode::kUsage,
                     fmt::format("partition {} takes one {}, and \"{}\" is one more", name,
                                 verb->operand, context.Operand(2)),
                     fmt::format("once for each: pgalter partition {} {}", name, verb->operand));
    return verb->run(context);
  }
  std::string names;
  for (const PartitionVerb* verb : kVerbs)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", verb->name);
  throw Rejected(ExitCode::kUsage, fmt::format("partition \"{}\" is not known", name),
                 "one of: " + names);
}

}  // namespace

bool VerbTakes(std::string_view verb, std::string_view option) {
  const PartitionVerb* found = FindVerb(verb);
  return found != nullptr && Takes(*found, std::string(option));
}

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
        "next partitions and one for the rest. With --strategy copy, by list and by hash, and by "
        "ranges between points (--values g,n,t, of text and whatever has an order), all "
        "rows are copied into their partitions, as by `pgalter rebuild`.\n\n"
        "add TABLE: one new partition, empty; users of the table do not wait, writers of those "
        "that its foreign keys refer to do for an instant.\n\nattach TABLE --as PARENT: a "
        "table becomes a partition; what the server would read or build under its lock is read and "
        "built before.\n\ndetach PARTITION: it becomes a table of its own, CONCURRENTLY where "
        "there "
        "is "
        "no default partition; one that somebody has begun is ended.\n\n"
        "split PARTITION: several partitions take the place of one, with its rows: copied in "
        "throttled "
        "chunks while it is in use, followed, compared, and put in place in one short transaction. "
        "Of "
        "a default partition: rows get partitions of their own, and a new default partition has "
        "the "
        "rest.\n\n"
        "merge PARTITION PARTITION...: neighbours become one. Few rows are moved while users wait, "
        "for --hold-budget at most; so are those of a split where no key tells them apart. More "
        "are "
        "copied, as those of a split are, which --dry-run says.\n\n"
        "maintain TABLE: makes the next ranges, so that --premake of them lie beyond the clock and "
        "the newest row that is not far ahead of it, and fills gaps there; made by anybody, in any "
        "way, they are gone on from. Rows of the default partition that belong there, in a gap or "
        "shortly before the first range get ranges, too; odd ones stay, which is said. Where the "
        "last one has no "
        "end, or no width counts on, as of text, there is nothing to do. For cron."
        "\n\nretain TABLE: "
        "partitions that are older than --keep are detached; with --drop or --export they are "
        "dropped later. It only shows what would go unless --yes is given.\n\nhold "
        "TABLE|PARTITION: "
        "keeps all of it from going, until release.\n\nrelease TABLE|PARTITION: what was held may "
        "go again.\n\nundo TABLE: copies all rows into a plain table "
        "that takes its place, as by `pgalter rebuild`.\n\nlist TABLE: the "
        "partitions with their bounds and sizes, gaps, and rows that no range holds.\n\n"
        "After a crash of whatever kind `pgalter resume` goes on; `pgalter abort` before the "
        "cut-over leaves all as it was. `pgalter revert` takes a conversion and an undo back, with "
        "all rows, a split and a merge of few rows, and what retain has detached and not dropped.",
    .most_operands = kAnyNumber,
    .least_operands = 1,
    .reads_config = true,
    .words = "convert add attach detach split merge maintain retain hold release undo list",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
