// How many rows the next range or slice has. Pure.
//
// As many as take a quarter of a second; but a statement over many partitions takes longer than
// that by itself, however few rows it has, and fewer and fewer of them would never come to an end.
// So what each costs by itself is told from the last two, and is a third of the time at most.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgalter::verify {

// So many at most, so that the hash of a range stays in memory.
constexpr std::int64_t kRowsAtFirst = 20'000;
constexpr std::int64_t kMostRows = 200'000;

class RowsPolicy {
 public:
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  // What so many of them took.
  void Done(std::int64_t rows, std::chrono::duration<double> took);

 private:
  std::int64_t rows_ = kRowsAtFirst;
  std::int64_t last_rows_ = 0;  // 0: there was none
  double last_took_ = 0;        // s
  double by_itself_ = 0;        // s, of every statement
};

}  // namespace pgalter::verify
