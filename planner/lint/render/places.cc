#include "planner/lint/render/places.h"

namespace pgalter::lint {

const sql::LineIndex& Places::Index(int file) {
  auto& index = indexes_.at(static_cast<std::size_t>(file));
  if (!index) index.emplace(report_.files.at(static_cast<std::size_t>(file)).text);
  return *index;
}

Region Places::Of(int file, sql::Span span) {
  const sql::LineIndex& index = Index(file);
  return {index.At(span.begin), index.At(span.end)};
}

std::string_view Places::Line(int file, int line) { return Index(file).Line(line); }

}  // namespace pgalter::lint
