#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto later = MadeLater(context);
  if (!later) return;
  Remark remark;
  remark.message = fmt::format("{} is made only later{}", Context::Show(later->relation),
                               later->when.file == context.now.file ? "" : ", in another file");
  report(std::move(remark));
}

}  // namespace

constinit const Rule kWrongOrder{
    .id = "wrong-order",
    .title = "Statement that uses what a later one makes",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect = "On a new database the migrations fail here: the table does not exist yet.",
    .remedy = "Move the statement behind the one that makes it.",
    .check = &Check};

}  // namespace pgalter::lint
