#include "engine/pg/result.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <bit>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace pgalter::pg {

namespace {

template <class T>
T ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::logic_error("the server sent a text that is no number of the type asked for");
  return value;
}

// Network byte order, PostgreSQL's binary format of the integer types.
std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = (value << 8U) | static_cast<unsigned char>(c);
  return value;
}

template <class T>
T DecodeInteger(std::string_view bytes) {
  std::int64_t value = 0;
  switch (bytes.size()) {
    case 2:
      value = static_cast<std::int16_t>(BigEndian(bytes));
      break;
    case 4:
      value = static_cast<std::int32_t>(BigEndian(bytes));
      break;
    case 8:
      value = static_cast<std::int64_t>(BigEndian(bytes));
      break;
    default:
      throw std::logic_error(fmt::format("{} bytes are no integer", bytes.size()));
  }
  if (!std::in_range<T>(value))
    throw std::logic_error("the server sent a number beyond the type asked for");
  return static_cast<T>(value);
}

}  // namespace

Result::Result(pg_result* owned) : result_(owned) {}

void Result::Clear::operator()(pg_result* result) const { PQclear(result); }

int Result::rows() const { return result_ ? PQntuples(result_.get()) : 0; }
int Result::columns() const { return result_ ? PQnfields(result_.get()) : 0; }

std::int64_t Result::affected() const {
  if (!result_) return 0;
  const std::string_view text = PQcmdTuples(result_.get());
  return text.empty() ? 0 : ParseNumber<std::int64_t>(text);
}

std::string_view Result::command_tag() const {
  return result_ ? std::string_view(PQcmdStatus(result_.get())) : std::string_view();
}

void Result::Check(int row, int column) const {
  if (row < 0 || row >= rows() || column < 0 || column >= columns())
    throw std::logic_error(
        fmt::format("no cell ({}, {}) in a result of {} x {}", row, column, rows(), columns()));
}

bool Result::IsNull(int row, int column) const {
  Check(row, column);
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Result::Bytes(int row, int column) const {
  if (IsNull(row, column))
    throw std::logic_error(fmt::format("column \"{}\" is NULL", ColumnName(column)));
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

bool Result::IsBinary(int column) const { return PQfformat(result_.get(), column) == 1; }

std::string_view Result::ColumnName(int column) const {
  const char* name = result_ ? PQfname(result_.get(), column) : nullptr;
  return name == nullptr ? std::string_view() : std::string_view(name);
}

template <>
bool Result::Get<bool>(int row, int column) const {
  const std::string_view bytes = Bytes(row, column);
  const bool binary = IsBinary(column);
  if (bytes == (binary ? std::string_view("\1", 1) : "t")) return true;
  if (bytes == (binary ? std::string_view("\0", 1) : "f")) return false;
  throw std::logic_error("the server sent something that is no boolean");
}

template <>
std::int64_t Result::Get<std::int64_t>(int row, int column) const {
  const std::string_view bytes = Bytes(row, column);
  return IsBinary(column) ? DecodeInteger<std::int64_t>(bytes) : ParseNumber<std::int64_t>(bytes);
}

template <>
std::int32_t Result::Get<std::int32_t>(int row, int column) const {
  const std::string_view bytes = Bytes(row, column);
  return IsBinary(column) ? DecodeInteger<std::int32_t>(bytes) : ParseNumber<std::int32_t>(bytes);
}

template <>
std::int16_t Result::Get<std::int16_t>(int row, int column) const {
  const std::string_view bytes = Bytes(row, column);
  return IsBinary(column) ? DecodeInteger<std::int16_t>(bytes) : ParseNumber<std::int16_t>(bytes);
}

template <>
std::uint32_t Result::Get<std::uint32_t>(int row, int column) const {
  const std::string_view bytes = Bytes(row, column);
  if (!IsBinary(column)) return ParseNumber<std::uint32_t>(bytes);
  if (bytes.size() != sizeof(std::uint32_t))
    throw std::logic_error(fmt::format("{} bytes are no oid", bytes.size()));
  return static_cast<std::uint32_t>(BigEndian(bytes));
}

template <>
double Result::Get<double>(int row, int column) const {
  const std::string_view bytes = Bytes(row, column);
  if (!IsBinary(column)) return ParseNumber<double>(bytes);
  if (bytes.size() == sizeof(float))
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(BigEndian(bytes))));
  if (bytes.size() != sizeof(double))
    throw std::logic_error(fmt::format("{} bytes are no floating-point number", bytes.size()));
  return std::bit_cast<double>(BigEndian(bytes));
}

template <>
std::string Result::Get<std::string>(int row, int column) const {
  return std::string(Bytes(row, column));
}

}  // namespace pgalter::pg
