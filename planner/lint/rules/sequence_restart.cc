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
  if (sequence == nullptr || sequence->create || !InUse(context, sequence->name)) return;
  if (sequence->max_value && *sequence->max_value > 0 && *sequence->max_value < kHigh) {
    Remark remark;
    remark.message = fmt::format("{} ends at {}: the server refuses it if more were given already",
                                 Context::Show(sequence->name), *sequence->max_value);
    remark.remedy = "A maximum above the numbers there are.";
    report(std::move(remark));
    return;
  }
  if (!sequence->restarts) return;
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

// The last part of a name as it is written in a literal: 'public.orders_seq', '"Orders_seq"'.
std::string PlainName(std::string_view written) {
  written.remove_prefix(std::min(written.rfind('.') + 1, written.size()));
  if (written.size() > 1 && written.front() == '"') written = written.substr(1, written.size() - 2);
  return std::string(written);
}

// A sequence that an earlier statement of the same script makes, from 1 on as far as it says.
bool MadeHere(const Context& context, std::string_view sequence) {
  return std::ranges::any_of(context.before, [&](const ScriptStatement& read) {
    const auto* made = read.statement.As<sql::ast::Sequence>();
    return made != nullptr && made->create && made->name.name == PlainName(sequence) &&
           FindWord(read.text, "START") == std::string_view::npos;
  });
}

bool IsSet(const Context& context) {
  const auto sets = [](const ScriptStatement& read) { return SetsSequence(read.statement); };
  return std::ranges::any_of(context.before, sets) || std::ranges::any_of(context.after, sets);
}

// Of a column whose numbers came from elsewhere.
void CheckNewDefault(const Context& context, const Reporter& report) {
  ForEachCommand(
      context, sql::ast::TableChange::kSetDefault,
      [&](const auto& alter, const auto& command, int) {
        const catalog::Column* column = ColumnInUse(context, alter, command.name);
        if (column == nullptr || column->origin == catalog::Origin::kInRun ||
            !column->has_default || !command.expression)
          return;
        const auto& literals = command.expression->literals;
        if (literals.size() != 1 || !MadeHere(context, literals.front()) || IsSet(context)) return;
        Remark remark;
        remark.message = fmt::format("{} starts at 1, and {}.{} may have those numbers",
                                     literals.front(), Context::Show(alter.name), command.name);
        remark.remedy =
            "START WITH a number above the highest, or setval() to it in the same "
            "transaction.";
        report(std::move(remark));
      });
}

void Check(const Context& context, const Reporter& report) {
  CheckNewDefault(context, report);
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
