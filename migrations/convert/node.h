#pragma once

// A changelog in XML, YAML or JSON as one kind of tree, as Liquibase has it. Private to
// migrations/convert. Pure; throws Unreadable.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/formats/yaml.h"

namespace pgalter::convert {

struct Node {
  std::string name;
  std::string text;  // what stands in it beside its children
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<Node> children;

  // Empty: it has none of that name.
  [[nodiscard]] std::string Attribute(std::string_view key) const;
};

using formats::Unreadable;

// Without DOCTYPE.
[[nodiscard]] Node ReadXml(std::string_view text);
// One document.
[[nodiscard]] Node ReadYaml(std::string_view text);
[[nodiscard]] Node ReadJson(std::string_view text);

}  // namespace pgalter::convert
