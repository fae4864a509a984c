#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

constexpr int kVirtualColumns = 18;

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kGeneratedColumn, [&](const locks::Work& work) {
    Remark remark = About(context, work,
                          fmt::format("adding stored generated column {} rewrites {}", work.subject,
                                      Context::Show(work.relation)));
    if (context.options.server_version >= kVirtualColumns)
      remark.remedy =
          "Make it VIRTUAL, which writes nothing; or add a plain column, keep it current with a "
          "trigger, and fill the rows with `pgalter backfill`.";
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kAddColumnGeneratedStored{
    .id = "add-column-generated-stored",
    .title = "Stored generated column added",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "The value of every row is computed at once: the table and all its indexes are written "
        "anew under ACCESS EXCLUSIVE.",
    .remedy =
        "Add a plain column, keep it current with a trigger, and fill the rows with `pgalter "
        "backfill`.",
    .check = &Check};

}  // namespace pgalter::lint
