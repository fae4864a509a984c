#include "engine/pg/params.h"

#include <fmt/format.h>

#include <utility>

namespace pgalter::pg {

namespace {

constexpr Oid kInt8Oid = 20;  // pg_type.dat

}  // namespace

void Params::Add(double value) { values_.push_back({fmt::format("{}", value)}); }

void Params::Add(const std::vector<std::string>& elements) {
  std::string literal = "{";
  for (const std::string& element : elements) {
    if (literal.size() > 1) literal += ',';
    literal += '"';
    for (const char c : element) {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
    literal += '"';
  }
  values_.push_back({literal + "}"});
}

void Params::Add(const std::vector<std::int64_t>& elements) {
  values_.push_back({fmt::format("{{{}}}", fmt::join(elements, ","))});
}

void Params::AddBinary(std::string bytes, Oid type) {
  values_.push_back({std::move(bytes), type, 1});
}

void Params::AddBinary(std::int64_t value) {
  constexpr int kBits = 64;
  std::string bytes;
  for (int shift = kBits - 8; shift >= 0; shift -= 8)
    bytes += static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xFFU);
  AddBinary(std::move(bytes), kInt8Oid);
}

}  // namespace pgalter::pg
