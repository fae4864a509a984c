#include <algorithm>

#include "planner/sql/newer/rewriting.h"

namespace pgalter::sql::newer {
namespace {

bool StartsElement(const Rewriting& text, std::size_t at) {
  return at > 0 && text.IsAny(at - 1, {"add", "(", ","});
}

// NOT NULL column, among the constraints of a table: read as CHECK (column).
void NotNull(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"not", "null"}) || text.Are(0, {"alter", "domain"})) return;
  const std::size_t start = text.StartOfConstraint(at);
  const std::size_t column = at + 2;
  if (!StartsElement(text, start) || column >= text.size()) return;
  if (text.Depth(at) != (text.Is(0, "create") ? 1U : 0U)) return;
  text.Found(18, "NOT NULL as a constraint of a table");
  text.Replace(at, column + 1, "CHECK (" + std::string(text.Text(column, column + 1)) + ")");
  text.Mark(start, ast::Mark::kNotNull);
}

// ALTER DOMAIN d ADD [CONSTRAINT n] NOT NULL, which SET NOT NULL said before.
void DomainNotNull(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"not", "null"}) || !text.Are(0, {"alter", "domain"})) return;
  const std::size_t start = text.StartOfConstraint(at);
  if (!StartsElement(text, start)) return;
  text.Found(17, "ALTER DOMAIN … ADD NOT NULL");
  text.Replace(at, at + 2, "CHECK (value)");
  text.Mark(start, ast::Mark::kNotNull);
  text.Afterwards([](ast::Statement& statement) {
    auto* domain = std::get_if<ast::AlterDomain>(&statement.body);
    if (domain != nullptr && domain->constraint) domain->constraint->columns.clear();
  });
}

// The first word of the constraint that the attribute at `at` belongs to, or size().
std::size_t OwnerOf(const Rewriting& text, std::size_t at) {
  std::size_t owner = text.size();
  std::size_t looked = 0;
  for (std::size_t before = at; before-- > 0;) {
    if (text.IsAny(before, {",", "("}) || ++looked > kReach) break;
    if (text.IsAny(before, {")", "]"})) {
      before = std::min(text.Partner(before), before);
      continue;
    }
    if (text.IsAny(before, {"check", "foreign"})) return before;
    if (text.Is(before, "references")) owner = before;  // FOREIGN KEY may be before it
    if (owner != text.size() && !text.IsAny(before, {"references", "key"})) break;
  }
  return owner;
}

void Enforced(Rewriting& text, std::size_t at) {
  if (!text.Is(at, "enforced") || at == 0 || text.IsAny(at - 1, {"references", ".", "constraint"}))
    return;
  const std::size_t owner = OwnerOf(text, at);
  if (owner == text.size()) return;
  const bool negated = text.Is(at - 1, "not");
  text.Found(18, negated ? "NOT ENFORCED" : "ENFORCED");
  text.Blank(negated ? at - 1 : at, at + 1);
  if (negated) text.Mark(text.StartOfConstraint(owner), ast::Mark::kNotEnforced);
}

// ALTER CONSTRAINT c [NOT] ENFORCED | [NO] INHERIT.
void AlterConstraint(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"alter", "constraint"}) || !text.Are(0, {"alter"}) || at == 0) return;
  const std::size_t end = text.EndOfPart(at);
  for (std::size_t word = at + 3; word < end; ++word) {
    const bool inherit = text.Is(word, "inherit");
    if (!inherit && !text.Is(word, "enforced")) continue;
    const bool negated = text.IsAny(word - 1, {"no", "not"});
    text.Found(18, inherit ? "ALTER CONSTRAINT … INHERIT" : "ALTER CONSTRAINT … ENFORCED");
    text.Blank(negated ? word - 1 : word, word + 1);
    text.AfterwardsInCommand(at, [inherit, negated](ast::TableCommand& command) {
      if (!command.constraint) return;
      if (inherit) {
        command.constraint->no_inherit = negated;
      } else {
        command.constraint->enforced = !negated;
        command.constraint->not_enforced = negated;
      }
    });
  }
}

// The constraint whose column list the token stands in, or size().
std::size_t OwnerOfList(const Rewriting& text, std::size_t at) {
  if (text.Depth(at) == 0) return text.size();
  std::size_t open = at - 1;
  while (text.Depth(open) >= text.Depth(at)) {
    if (at - open > kReach) return text.size();
    --open;
  }
  if (open == 0) return text.size();
  const std::size_t word = open - 1;
  if (text.Is(word, "unique")) return word;
  if (word > 0 && text.Is(word, "key")) return word - 1;  // PRIMARY KEY, FOREIGN KEY
  return OwnerOf(text, open);                             // REFERENCES p (…)
}

void WithoutOverlaps(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"without", "overlaps"})) return;
  const std::size_t owner = OwnerOfList(text, at);
  if (owner == text.size()) return;
  text.Found(18, "WITHOUT OVERLAPS");
  text.Blank(at, at + 2);
  text.Mark(text.StartOfConstraint(owner), ast::Mark::kWithoutOverlaps);
}

// FOREIGN KEY (a, PERIOD b) REFERENCES p (a, PERIOD b).
void Period(Rewriting& text, std::size_t at) {
  if (!text.Is(at, "period") || text.Depth(at) == 0 || at + 1 >= text.size()) return;
  if (!text.IsAny(at - 1, {"(", ","}) || text.IsAny(at + 1, {",", ")", "("})) return;
  const std::size_t owner = OwnerOfList(text, at);
  if (!text.IsAny(owner, {"foreign", "references"})) return;
  text.Found(18, "PERIOD in a foreign key");
  text.Blank(at, at + 1);
  text.Mark(text.StartOfConstraint(owner), ast::Mark::kWithoutOverlaps);
}

}  // namespace

std::vector<Form> ConstraintForms() {
  return {NotNull, DomainNotNull, Enforced, AlterConstraint, WithoutOverlaps, Period};
}

}  // namespace pgalter::sql::newer
