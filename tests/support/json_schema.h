// As much of JSON Schema as docs/schemas/ uses.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace pgalter::test {

inline bool HasType(const boost::json::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_bool();
  return type == "null" && value.is_null();
}

inline bool HasOneType(const boost::json::value& value, const boost::json::value& type) {
  if (type.is_string()) return HasType(value, type.as_string());
  for (const boost::json::value& one : type.as_array())
    if (HasType(value, one.as_string())) return true;
  return false;
}

// `path`: of the value, for messages.
inline void ExpectMatches(const boost::json::value& value, const boost::json::object& schema,
                          const std::string& path) {
  SCOPED_TRACE(path);
  if (const auto* type = schema.if_contains("type")) {
    EXPECT_TRUE(HasOneType(value, *type)) << boost::json::serialize(value);
  }
  if (const auto* constant = schema.if_contains("const")) {
    EXPECT_EQ(value, *constant);
  }
  if (const auto* values = schema.if_contains("enum")) {
    const auto& all = values->as_array();
    EXPECT_NE(std::find(all.begin(), all.end(), value), all.end()) << boost::json::serialize(value);
  }
  if (value.is_array())
    for (const boost::json::value& item : value.as_array())
      ExpectMatches(item, schema.at("items").as_object(), path + "[]");
  // "{}" is anything.
  if (!value.is_object() || schema.empty()) return;
  const auto part = [&schema](const char* name) {
    const auto* found = schema.if_contains(name);
    return found == nullptr ? boost::json::value() : *found;
  };
  const boost::json::value properties = part("properties");
  const boost::json::value required = part("required");
  const boost::json::value others = part("additionalProperties");
  if (required.is_array()) {
    for (const boost::json::value& name : required.as_array())
      EXPECT_TRUE(value.as_object().contains(name.as_string())) << boost::json::serialize(name);
  }
  for (const auto& [key, member] : value.as_object()) {
    const auto* known = properties.is_object() ? properties.as_object().if_contains(key) : nullptr;
    if (known == nullptr && others.is_object()) known = &others;
    EXPECT_TRUE(others.is_null() || known != nullptr) << "not in the schema: " << key;
    if (known) ExpectMatches(member, known->as_object(), path + "." + std::string(key));
  }
}

}  // namespace pgalter::test
