#include "planner/lint/timeline.h"

#include <algorithm>

namespace pgalter::lint {

using sql::QualifiedName;

namespace {

std::string Key(const QualifiedName& name) {
  return name.schema.value_or("public") + '.' + name.name;
}

}  // namespace

void Timeline::Note(const QualifiedName& relation, Moment when, bool made) {
  events_[Key(relation)].push_back({when, made});
}

void Timeline::Add(const sql::ast::Statement& statement, Moment when) {
  if (const auto* create = statement.As<sql::ast::CreateTable>()) {
    Note(create->name, when, !create->if_not_exists);
  } else if (const auto* copy = statement.As<sql::ast::CreateTableAs>()) {
    Note(copy->name, when, !copy->if_not_exists);
  } else if (const auto* view = statement.As<sql::ast::CreateView>()) {
    Note(view->name, when, !view->replace);
  } else if (const auto* drop = statement.As<sql::ast::Drop>()) {
    for (const QualifiedName& name : drop->names) Note(name, when, false);
  } else if (const auto* rename = statement.As<sql::ast::Rename>()) {
    if (!rename->part.empty()) return;
    Note(rename->name, when, false);
    Note({rename->name.schema, rename->new_name}, when, false);
  } else if (const auto* move = statement.As<sql::ast::SetSchema>()) {
    Note(move->name, when, false);
    Note({move->new_schema, move->name.name}, when, false);
  }
}

std::optional<Moment> Timeline::MadeAfter(const QualifiedName& relation, Moment now) const {
  const auto found = events_.find(Key(relation));
  if (found == events_.end()) return std::nullopt;
  // Nothing may have happened to it before: what a file drops or renames was there.
  const Event& first = found->second.front();
  if (!first.made || first.when <= now) return std::nullopt;
  return first.when;
}

}  // namespace pgalter::lint
