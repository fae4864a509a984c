#include "cli/context.h"
#include "cli/json_output.h"
#include "cli/lint/rule_pages.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> Run(Context& context) {
  const lint::Rule& rule = RuleNamed(context.Operand(0));
  const std::string page = RulePage(rule);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"rule", rule.id}, {"page", page}});
  } else {
    Print(page);
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kExplainCommand;
const CommandBody kExplainCommand{
    .description =
        "Prints the page of one rule: what the statement does to a database in use, on which "
        "versions, and what to write instead. pgalter lint --list-rules lists the rules.",
    .most_operands = 1,
    .least_operands = 1,
    .run = &Run};

}  // namespace pgalter::cli
