#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  using locks::Refusal;
  for (const locks::Failure& failure : context.effects.failures) {
    switch (failure.refusal) {
      case Refusal::kUnknownObject:
        if (!MadeLater(context)) report(Refused(failure, "this names what is not there"));
        break;
      case Refusal::kNotValidUnsupported:
      case Refusal::kDependants:
      case Refusal::kExists:
      case Refusal::kDetachWithDefault:
      case Refusal::kVersion:
      case Refusal::kOther:
        report(Refused(failure, "the server refuses this"));
        break;
      default:
        break;  // has a rule of its own
    }
  }
}

}  // namespace

constinit const Rule kRefusedStatement{
    .id = "refused-statement",
    .title = "Statement that the server refuses",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect = "The statement fails, and with it the migration.",
    .remedy = "Look at what is named here; the server would say the same.",
    .check = &Check};

}  // namespace pgalter::lint
