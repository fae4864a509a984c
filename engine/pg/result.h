// Result: the rows and the command tag of one statement. Owns libpq's result.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

struct pg_result;

namespace pgalter::pg {

class Result {
 public:
  Result() = default;
  explicit Result(pg_result* owned);  // takes ownership

  int rows() const;
  int columns() const;
  bool empty() const { return rows() == 0; }
  std::int64_t affected() const;  // rows of an INSERT, UPDATE, DELETE, …; 0 elsewhere
  std::string_view command_tag() const;

  bool IsNull(int row, int column) const;
  std::string_view Bytes(int row, int column) const;  // as received: text or binary
  bool IsBinary(int column) const;
  std::string_view ColumnName(int column) const;

  // Text or binary by what the server sent. T: bool, int16/32/64, uint32 (oid), double,
  // std::string, std::optional of these. Throws std::logic_error on NULL (unless optional), on a
  // cell that is not there, and on bytes that are no T.
  template <class T>
  T Get(int row, int column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  void Check(int row, int column) const;

  std::unique_ptr<pg_result, Clear> result_;
};

template <>
bool Result::Get<bool>(int row, int column) const;
template <>
std::int16_t Result::Get<std::int16_t>(int row, int column) const;
template <>
std::int32_t Result::Get<std::int32_t>(int row, int column) const;
template <>
std::int64_t Result::Get<std::int64_t>(int row, int column) const;
template <>
std::uint32_t Result::Get<std::uint32_t>(int row, int column) const;
template <>
double Result::Get<double>(int row, int column) const;
template <>
std::string Result::Get<std::string>(int row, int column) const;

namespace detail {
template <class T>
struct OptionalValue : std::false_type {};
template <class T>
struct OptionalValue<std::optional<T>> : std::true_type {
  using Inner = T;
};
}  // namespace detail

template <class T>
T Result::Get(int row, int column) const {
  static_assert(detail::OptionalValue<T>::value, "no conversion to this type");
  if (IsNull(row, column)) return std::nullopt;
  return Get<typename detail::OptionalValue<T>::Inner>(row, column);
}

}  // namespace pgalter::pg
