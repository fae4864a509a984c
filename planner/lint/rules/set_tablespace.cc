#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kTablespace, [&](const locks::Work& work) {
    const bool index = work.kind == locks::Work::Kind::kBuild;
    report(About(context, work,
                 fmt::format("SET TABLESPACE copies the files of {}",
                             index ? work.subject : Context::Show(work.relation))));
  });
  const auto* move = context.statement.As<sql::ast::MoveTablespace>();
  if (move == nullptr) return;
  Remark remark;
  remark.message =
      fmt::format("this copies all that is in tablespace {} to {}", move->from, move->to);
  remark.table_rewrite = true;
  report(std::move(remark));
}

}  // namespace

constinit const Rule kSetTablespace{
    .id = "set-tablespace",
    .title = "Table or index moved to another tablespace",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "Its files are copied under ACCESS EXCLUSIVE. On an index that keeps everybody from "
        "planning a query of the table.",
    .remedy =
        "A table: pg_repack --tablespace. An index: REINDEX (TABLESPACE …, CONCURRENTLY) from "
        "version 14 on, or CREATE INDEX CONCURRENTLY … TABLESPACE.",
    .check = &Check};

}  // namespace pgalter::lint
