#include <algorithm>
#include <charconv>

#include "planner/lint/rules/around.h"
#include "planner/lint/rules/columns.h"

namespace pgalter::lint {

namespace {

// Who writes a number as high as that has looked at the rows.
constexpr long kHigh = 10'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The first number of its own behind that place; 1, where a sequence starts, if there is none.
long NumberFrom(std::string_view text, std::size_t at) {
  const auto digit =
      std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), IsDigit);
  long number = 1;
  if (digit != text.end()) std::from_chars(&*digit, text.data() + text.size(), number);
  return number;
}

std::size_t FindWord(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 32) : a) == b;
  };
  const auto found = std::search(text.begin(), text.end(), word.begin(), word.end(), same);
  return found == text.end() ? std::string_view::npos
                             : static_cast<std::size_t>(found - text.begin());
}

bool SetsSequence(const sql::ast::Statement& statement) {
  const auto* select = statement.As<sql::ast::Select>();
  return select != nullptr &&
         std::ranges::any_of(select->functions, [](const sql::FunctionUse& use) {
           return !use.name.empty() && use.name.back() == "setval";
         });
}

// setval('orders_id_seq', 1): a number that was written, not looked up.
void CheckSetval(const Context& context, const Reporter& report) {
  const auto* select = context.statement.As<sql::ast::Select>();
  if (!SetsSequence(context.statement) || !select->reads.empty() || select->functions.size() > 1 ||
      select->literals.empty())
    return;
  const std::string& written = select->literals.front();
  const auto dot = written.find('.');
  catalog::QualifiedName name{std::nullopt, written.substr(dot == std::string::npos ? 0 : dot + 1)};
  if (dot != std::string::npos) name.schema = written.substr(0, dot);
  const auto comma = context.text.rfind(written);
  if (!InUse(context, name) || comma == std::string_view::npos ||
      NumberFrom(context.text, comma + written.size()) >= kHigh)
    return;
  Remark remark;
  remark.message = fmt::format("{} goes back: it may give numbers that rows have already", written);
  report(std::move(remark));
}

void CheckRestart(const Context& context, const Reporter& report) {
  const auto* sequence = context.statement.As<sql::ast::Sequence>();
  if (sequence == nullptr || !sequence->restarts || !InUse(context, sequence->name)) return;
  const auto at = FindWord(context.text, "RESTART");
  if (at == std::string_view::npos || NumberFrom(context.text, at) >= kHigh) return;
  Remark remark;
  remark.message = fmt::format("{} goes back: it may give numbers that rows have already",
                               Context::Show(sequence->name));
  report(std::move(remark));
}

void CheckNewIdentity(const Context& context, const Reporter& report) {
  ForEachCommand(context, sql::ast::TableChange::kAddIdentity,
                 [&](const auto& alter, const auto& command, int) {
                   const catalog::Column* column = ColumnInUse(context, alter, command.name);
                   if (!InUse(context, alter.name) || column == nullptr ||
                       column->origin == catalog::Origin::kInRun ||
                       FindWord(context.text, "START") != std::string_view::npos ||
                       AnyLater(context, SetsSequence))
                     return;
                   Remark remark;
                   remark.message = fmt::format(
                       "the identity of {}.{} starts at 1, and rows may have those numbers",
                       Context::Show(alter.name), command.name);
                   remark.remedy =
                       "START WITH a number above the highest, or setval() to it in the same "
                       "transaction.";
                   report(std::move(remark));
                 });
}

void Check(const Context& context, const Reporter& report) {
  CheckSetval(context, report);
  CheckRestart(context, report);
  CheckNewIdentity(context, report);
}

}  // namespace

constinit const Rule kSequenceRestart{
    .id = "sequence-restart",
    .title = "Sequence set back",
    .category = Category::kData,
    .severity = Severity::kWarning,
    .effect =
        "INSERTs that take their key from the sequence fail on numbers that rows have already, or, "
        "without a unique key, give them twice.",
    .remedy = "setval() to the highest number in use: SELECT setval('s', (SELECT max(id) FROM t)).",
    .check = &Check};

}  // namespace pgalter::lint
