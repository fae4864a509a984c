#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* block = context.statement.As<sql::ast::DoBlock>();
  if (block == nullptr) return;
  const auto inside = sql::ast::ReadPlpgsql(*block);
  if (!inside) {
    Remark remark;
    remark.message = "what this block does could not be read";
    report(std::move(remark));
    return;
  }
  if (inside->dynamic == 0) return;
  Remark remark;
  remark.message = fmt::format("{} of its statements are put together at run time and not judged",
                               inside->dynamic);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kDoBlockDdl{
    .id = "do-block-ddl",
    .title = "Changes hidden in a DO block",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "A DO block is one transaction: the locks of everything in it are held to its end. What it "
        "builds as text cannot be judged.",
    .remedy = "Write the statements out, one by one.",
    .check = &Check};

}  // namespace pgalter::lint
