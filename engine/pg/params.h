// Bound parameters of one statement. Text format unless added as binary; a value is never part of
// the SQL text.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::pg {

using Oid = std::uint32_t;

class Params {
 public:
  struct Value {
    std::optional<std::string> bytes;  // nullopt: NULL
    Oid type = 0;                      // 0: the server infers it
    int format = 0;                    // 0 text, 1 binary
  };

  Params() = default;
  template <class... Args>
  static Params Of(const Args&... args) {
    Params params;
    (params.Add(args), ...);
    return params;
  }

  template <std::integral T>
  void Add(T value) {
    values_.push_back({std::to_string(value)});
  }
  void Add(bool value) { values_.push_back({std::string(value ? "t" : "f")}); }
  void Add(double value);
  void Add(std::string_view text) { values_.push_back({std::string(text)}); }
  void Add(const std::string& text) { Add(std::string_view(text)); }
  void Add(const char* text) { Add(std::string_view(text)); }
  void Add(std::nullopt_t) { values_.push_back({}); }
  template <class T>
  void Add(const std::optional<T>& value) {
    if (value) {
      Add(*value);
    } else {
      Add(std::nullopt);
    }
  }
  // An array literal; the statement casts it (`$1::text[]`).
  void Add(const std::vector<std::string>& elements);
  void Add(const std::vector<std::int64_t>& elements);
  void AddBinary(std::string bytes, Oid type);
  void AddBinary(std::int64_t value);  // int8

  const std::vector<Value>& values() const { return values_; }

 private:
  std::vector<Value> values_;
};

}  // namespace pgalter::pg
