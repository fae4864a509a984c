#include <algorithm>
#include <string>
#include <string_view>

#include "cli/dump_schema.h"
#include "cli/lint/write_file.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("out", po::value<std::string>()->value_name("FILE"),
       "written whole or not at all; default: stdout")  //
      ("pg-dump", po::value<std::string>()->default_value("pg_dump")->value_name("PROGRAM"),
       "pg_dump, of the server's version or later");
}

// Without what is another each time, or with each program: so that two dumps of one schema are the
// same text.
std::string Normalised(const std::string& text) {
  std::string normalised;
  std::size_t blanks = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    at = end + 1;
    const bool varies = line.starts_with("-- Dumped ") || line.starts_with("\\restrict ") ||
                        line.starts_with("\\unrestrict ");
    if (varies) continue;
    blanks = line.empty() ? blanks + 1 : 0;
    if (blanks > 1 || (line.empty() && normalised.empty())) continue;
    normalised += line;
    normalised += '\n';
  }
  return normalised;
}

Task<ExitCode> Run(Context& context) {
  const std::string text = Normalised(DumpSchema(context, context.Get("pg-dump")));
  if (context.Has("out")) {
    WriteFile(context.Get("out"), text);
  } else {
    Print(text);
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kDumpCommand;
const CommandBody kDumpCommand{
    .description =
        "Prints the schema of the database as SQL, as pg_dump writes it, without pgalter's own "
        "and without what differs from one call to the next: to be kept in version control "
        "beside the migrations, and compared with `pgalter diff --to FILE`. Reads only.",
    .outputs = "text",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
