// `import --into`: the directory of another tool as files of our own format, in a directory of
// their own. Nothing in the other tool's directory is written.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <filesystem>

#include "cli/context.h"
#include "cli/migrate/source.h"
#include "migrations/convert/draft.h"

namespace pgalter::cli {

// --into, --printed, --changelog, --files-only.
void AddIntoOptions(boost::program_options::options_description& options);

// The migrations of the directory, as far as they can be turned into files: what Alembic printed, a
// changelog's changesets, or files of SQL. Throws Rejected (usage) with all that cannot be read.
history::Collection ReadForInto(const Context& context, const MigrationSettings& settings);

// Throws Rejected: a file cannot be written as one of ours (refused), or the directory holds
// something else (refused); then nothing was written.
convert::Drafts DraftsOf(const history::Collection& collection, const std::filesystem::path& into);
void WriteDrafts(const convert::Drafts& drafts, const std::filesystem::path& into);

// The files as they are read from then on, in the order of the drafts.
history::Collection ReadWritten(const convert::Drafts& drafts, const std::filesystem::path& into);

}  // namespace pgalter::cli
