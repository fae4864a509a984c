#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  for (const std::string& name : context.statement.long_names) {
    Remark remark;
    remark.message =
        fmt::format("{} has {} bytes; the server keeps the first 63", name, name.size());
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kIdentifierTooLong{
    .id = "identifier-too-long",
    .title = "Name longer than 63 bytes",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "The server cuts it without an error; two long names may become one.",
    .remedy = "Choose a name of at most 63 bytes.",
    .check = &Check};

}  // namespace pgalter::lint
